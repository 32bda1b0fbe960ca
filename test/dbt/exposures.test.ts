import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import { exposures } from '../../src/dbt/exposures.ts';
import { emptyFolder, readback } from '../cli/readback.ts';
import { load, soundFiles } from '../config/written-project.ts';
import { manifest } from './shop.ts';

const files: Record<string, string> = {
  ...soundFiles,
  'readback.yml': `${soundFiles['readback.yml']}dbt: { project: ./shop }\n`,
  'shop/target/manifest.json': JSON.stringify(manifest()),
  'signals/churn-risk.sql': `/*
description: Customers likely to {{ leave }}
owner: retention@acme.example
key: customer_id
tags: [daily]
*/
select * from {{ ref('churn_scores') }} join {{ ref('plans', v=1) }} using (plan) join {{ ref('churn_scores') }} using (x)
`,
  'sql/enrich/customer_profile.sql': "/* fresh: 10m */\nselect * from {{ source('crm', 'customers') }}\n",
  'destinations/retention_task.yaml':
    'connection: crm\naction: create_task\nsignals: [churn-risk]\nenrich: customer_profile\nfields: { subject: x }\n',
};

test('a signal and a destination are an application that depends on what they read', async () => {
  const { text, count, left } = exposures(await load({ files }));
  assert.equal(count, 2);
  assert.deepEqual(left, ['Signal churn_risk']);
  const {
    version,
    exposures: [destination, signal, ...none],
  } = parse(text);
  assert.equal(version, 2);
  assert.deepEqual(none, []);
  assert.deepEqual(signal, {
    name: 'readback_signal_churn_risk',
    label: 'Signal churn-risk',
    type: 'application',
    description: '{% raw %}Customers likely to {{ leave }}{% endraw %}',
    owner: { name: 'retention', email: 'retention@acme.example' },
    depends_on: ["ref('churn_scores')", "ref('plans', v=1)"],
    config: {
      tags: ['daily'],
      meta: {
        readback: {
          project: 'acme',
          signal: 'churn-risk',
          file: 'signals/churn-risk.sql',
          key: ['customer_id'],
          severity: 'medium',
        },
      },
    },
  });
  assert.equal(destination.name, 'readback_destination_retention_task');
  assert.deepEqual(destination.owner, { name: 'acme' });
  assert.deepEqual(destination.depends_on, [
    "ref('churn_scores')",
    "ref('plans', v=1)",
    "source('crm', 'customers')",
  ]);
  assert.deepEqual(destination.config.meta.readback.signals, ['churn-risk']);
});

test('two files whose names are one to dbt are refused', async () => {
  const twin = { ...files, 'signals/churn_risk.sql': files['signals/churn-risk.sql'] ?? '' };
  const project = await load({ files: twin });
  assert.throws(() => exposures(project), /two exposures would be named `readback_signal_churn_risk`/);
});

test('the text depends on nothing but the project', async () => {
  const reversed = Object.fromEntries(Object.entries(files).reverse());
  assert.equal(exposures(await load({ files })).text, exposures(await load({ files: reversed })).text);
});

const folder = await emptyFolder();
after(folder.remove);
const inFolder = (file: string) => join(folder.folder, file);
const run = (...args: string[]) => readback(folder.folder, 'dbt', 'exposures', ...args);
before(async () => {
  for (const [file, text] of Object.entries(files)) {
    if (file.startsWith('destinations/')) continue;
    await mkdir(dirname(inFolder(file)), { recursive: true });
    await writeFile(
      inFolder(file),
      file === 'readback.yml' ? text.replace(/connections:[\s\S]*(?=dbt:)/, '') : text,
    );
  }
});

test('the command writes its own file of the dbt project, again and again', async () => {
  for (let time = 0; time < 2; time += 1) {
    const { code, stdout, stderr } = await run();
    assert.equal(stderr, 'Signal churn_risk is left out: its SQL has no ref() or source()\n');
    assert.equal(stdout, '1 exposure in shop/models/readback_exposures.yml\n');
    assert.equal(code, 0);
  }
  const written = await readFile(inFolder('shop/models/readback_exposures.yml'), 'utf8');
  assert.equal(written, (await run('--out', '-')).stdout);
});

test('a file that somebody else wrote is left as it is', async () => {
  await writeFile(inFolder('own.yml'), 'version: 2\n');
  const { code, stderr } = await run('--out', 'own.yml');
  assert.equal(code, 2);
  assert.match(stderr, /USAGE: .*own\.yml is not overwritten: it was not written by this command/);
  assert.equal(await readFile(inFolder('own.yml'), 'utf8'), 'version: 2\n');
});

test('state:modified compares with the manifest that --state names', async () => {
  const ls = (...args: string[]) =>
    readback(folder.folder, 'ls', '--output', 'csv', '--select', 'state:modified', ...args);
  assert.equal((await readback(folder.folder, 'ls')).code, 0);
  const { fingerprints } = await import('../../src/config/fingerprint.ts');
  const { loadProject } = await import('../../src/config/project.ts');
  const now = fingerprints(await loadProject(folder.folder));
  const before = { fingerprints: { ...now, signals: { ...now.signals, churn_risk: 'other' } } };
  await mkdir(inFolder('earlier'));
  await writeFile(inFolder('earlier/manifest.json'), JSON.stringify(before));
  for (const path of ['earlier', 'earlier/manifest.json']) {
    const { stdout } = await ls('--state', path);
    assert.match(stdout, /\nsignal,churn_risk,/);
    assert.doesNotMatch(stdout, /churn-risk/);
  }
  const none = await ls('--state', 'nowhere');
  assert.equal(none.code, 2);
  assert.match(none.stderr, /USAGE: .*nowhere\/manifest\.json is not a manifest of an earlier run/);
});
