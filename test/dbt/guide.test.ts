import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { parse } from 'yaml';
import { fingerprints } from '../../src/config/fingerprint.ts';
import { loadProject } from '../../src/config/project.ts';
import { blocksOf, filesOf } from '../readme/blocks.ts';
import { emptyFolder, writeFiles } from '../readme/project.ts';
import { aRun, Shell } from '../readme/shell.ts';
import { manifest, sourcesJson } from './shop.ts';

const blocks = blocksOf('docs/dbt.md');
const environment = { SLACK_BOT_TOKEN: 'xoxb', DBT_PROFILES_DIR: '' };
let root: string;
let shell: Shell;

before(async () => {
  root = await writeFiles(filesOf(blocks));
  await mkdir(join(root, 'dbt/target'));
  await writeFile(join(root, 'dbt/target/manifest.json'), JSON.stringify(manifest()));
  await writeFile(
    join(root, 'dbt/target/sources.json'),
    JSON.stringify(sourcesJson({ customers: 1, events: 1 })),
  );
  const instance = await DuckDBInstance.create(join(root, 'dbt/warehouse.duckdb'));
  const connection = await instance.connect();
  await connection.run(`
    create table churn_scores as select 'C-1' as customer_id, 0.9::double as score;
    create schema raw;
    create table raw.customers as select 'C-1' as customer_id, 'Ada Moreno' as name, 'pro' as plan;
  `);
  connection.closeSync();
  instance.closeSync();
  const project = await loadProject(join(root, 'readback'), { env: environment });
  assert.deepEqual(
    project.problems.map((problem) => problem.format()),
    [],
  );
  const earlier = { ...fingerprints(project), signals: { churn_risk: 'other' } };
  await mkdir(join(root, 'earlier'));
  await writeFile(join(root, 'earlier/manifest.json'), JSON.stringify({ fingerprints: earlier }));
  shell = await Shell.open(await emptyFolder(), join(root, 'readback'), environment);
});
after(() => shell.close());

test('the warehouse of the guide takes its SQL, as compile prints it', async () => {
  assert.match(await shell.run(aRun('npx readback validate')), /1 signal, 1 destination: all valid/);
  const compiled = await shell.run(aRun('npx readback compile'));
  assert.match(
    compiled,
    /from "warehouse"\."main"\."churn_scores" as s\njoin "warehouse"\."raw"\."customers" as c/,
  );
});

test('every command of the guide works, and its test prints what is shown', async () => {
  const runs = blocks.filter(({ attributes }) => attributes.get('run') === 'dbt');
  assert.equal(runs.length, 3);
  const printed: string[] = [];
  for (const block of runs) printed.push(await shell.run(block));
  assert.match(printed[0] ?? '', /2 exposures in \.\.\/dbt\/models\/readback_exposures\.yml/);
  assert.match(printed[1] ?? '', /signal +churn_risk[\s\S]*destination +retention_alert/);
  const shown = blocks.find(({ attributes }) => attributes.get('output') === 'test');
  assert.equal(printed[2], shown?.text);
  const { exposures } = parse(await readFile(join(root, 'dbt/models/readback_exposures.yml'), 'utf8'));
  assert.deepEqual(exposures[1].depends_on, ["ref('churn_scores')", "source('crm', 'customers')"]);
});

test('create-test makes a test that passes, of the row that the guide names', async () => {
  await shell.run(aRun('npx readback create-test churn_risk --key C-1 --name made'));
  const text = await readFile(join(root, 'readback/tests/made.yaml'), 'utf8');
  assert.doesNotMatch(text, /Ada|Moreno|C-1\b/);
  assert.match(await shell.run(aRun('npx readback test')), /passed {2}made\n2 tests: 2 passed/);
});

test('the other target of the guide’s profile is a Postgres', async () => {
  const file = join(root, 'readback/readback.yml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('shop.dev', 'shop.prod'));
  const env = { ...environment, DBT_ENV_SECRET_SHOP_PASSWORD: 'secret' };
  const project = await loadProject(join(root, 'readback'), { env });
  await writeFile(file, text);
  assert.equal(project.warehouses.get('analytics')?.settings.host, 'db.example.com');
});
