import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { connectorNames } from '../../src/connectors/index.ts';
import { warehouseNames } from '../../src/warehouses/index.ts';
import { emptyFolder, readback } from './readback.ts';

let project = '';
const folder = await emptyFolder();
after(folder.remove);

before(async () => {
  const made = await readback(folder.folder, 'init', 'acme');
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stdout, /readback preview churn_risk/);
  project = join(folder.folder, 'acme');
});

test('a new project is named after its folder and keeps secrets and state out of git', async () => {
  assert.match(await readFile(join(project, 'readback.yml'), 'utf8'), /^project: acme$/m);
  assert.match(await readFile(join(project, '.gitignore'), 'utf8'), /^secrets\/$/m);
  assert.ok(!existsSync(join(project, 'gitignore')));
});

test('what readback.yml of a new project names is there also after a clone, which leaves out what git ignores', async () => {
  const ignored = (await readFile(join(project, '.gitignore'), 'utf8'))
    .split('\n')
    .filter((line) => line.endsWith('/'));
  const text = await readFile(join(project, 'readback.yml'), 'utf8');
  const files = [...text.matchAll(/^ +\w+: file:(\S+)/gm)].map(([, file = '']) => file);
  assert.equal(files.length, 2);
  for (const file of files) {
    assert.ok(existsSync(join(project, file)), file);
    assert.ok(!ignored.some((folder) => file.startsWith(folder)), `${file} is ignored`);
  }
});

test('init overwrites nothing', async () => {
  const again = await readback(folder.folder, 'init', 'acme');
  assert.equal(again.code, 2);
  assert.match(again.stderr, /^USAGE: .*already has .*readback\.yml.*nothing was written/);
});

test('a new project is valid', async () => {
  assert.deepEqual(await readback(project, 'validate'), {
    code: 0,
    stdout: '1 signal, 2 destinations: all valid\n',
    stderr: '',
  });
});

test('the project is found from a folder inside it', async () => {
  const { code, stdout } = await readback(join(project, 'signals'), 'validate', '--offline');
  assert.equal(code, 0);
  assert.match(stdout, /all valid/);
});

test('outside of any project the next step is told', async () => {
  const { code, stderr } = await readback(folder.folder, 'validate');
  assert.equal(code, 2);
  assert.match(stderr, /^CONFIG_FILE: there is no readback\.yml in .*\n {2}→ .*readback init/);
});

test('ls lists what is selected', async () => {
  const all = await readback(project, 'ls', '--output', 'json');
  const names = (JSON.parse(all.stdout) as { type: string; name: string }[]).map(
    ({ type, name }) => `${type} ${name}`,
  );
  assert.deepEqual(names, [
    'signal churn_risk',
    'destination crm_contact',
    'destination team_alert',
    'connection crm',
    'connection team',
  ]);
  const some = await readback(project, 'ls', '--select', 'destination:team_alert', '--output', 'csv');
  assert.match(some.stdout, /^type,name,.*\ndestination,team_alert,.*\nconnection,team,.*\n$/);
  const none = await readback(project, 'ls', '--select', 'tag:retenton');
  assert.equal(none.code, 2);
  assert.match(none.stderr, /SELECTION: .*\n {2}→ did you mean `retention`\?/);
});

test('preview shows rows, messages and what each destination would be sent', async () => {
  const { code, stdout } = await readback(project, 'preview', 'churn_risk', '--output', 'json');
  assert.equal(code, 0);
  const entities = JSON.parse(stdout) as {
    entity: string;
    row: Record<string, unknown>;
    message: { type: string; data: { key: unknown } };
    actions: { destination: string; outcome: string; reason?: string; fields?: Record<string, string> }[];
  }[];
  assert.deepEqual(entities.map(({ entity }) => entity).sort(), ['C-1001', 'C-1003', 'C-1004']);
  const paying = entities.find(({ entity }) => entity === 'C-1001');
  assert.equal(paying?.row.email, 'ada.moreno@example.com');
  assert.equal(paying?.message.type, 'dev.readback.transition.entered');
  assert.deepEqual(paying?.message.data.key, { customer_id: 'C-1001' });
  assert.deepEqual(
    paying?.actions.map(({ destination, outcome }) => [destination, outcome]),
    [
      ['crm_contact', 'send'],
      ['team_alert', 'send'],
    ],
  );
  assert.match(paying?.actions[1]?.fields?.text ?? '', /^Ada Moreno .*\$1,200\.00.* may leave: 91%$/);
  const free = entities.find(({ entity }) => entity === 'C-1004');
  assert.equal(free?.actions[0]?.reason, "when: plan != 'free' does not hold");
  assert.ok(!existsSync(join(project, '.readback')), 'a preview needs no ledger');
});

test('preview of one entity says when it is not in the signal', async () => {
  const { stdout, stderr } = await readback(project, 'preview', 'churn_risk', '--only', 'C-1001,C-1002');
  assert.match(stdout, /^C-1001\n/);
  assert.match(stderr, /^C-1002 is not in the signal now/);
});

test('compile prints and writes the SQL that will run', async () => {
  const { code, stdout } = await readback(project, 'compile');
  assert.equal(code, 0);
  for (const name of ['digest', 'differences', 'members', 'lookup']) {
    const path = `target/compiled/signals/churn_risk.${name}.sql`;
    assert.ok(stdout.includes(`-- ${path}: `), path);
    assert.match(await readFile(join(project, path), 'utf8'), /from churn_scores/);
  }
  assert.ok(existsSync(join(project, 'target/compiled/enrich/customer_profile.lookup.sql')));
});

test('schemas of the project know the actions of its connections', async () => {
  assert.equal((await readback(project, 'schemas')).code, 0);
  const schema = JSON.parse(await readFile(join(project, '.readback-schemas', 'destination.json'), 'utf8'));
  const accepts = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);
  for (const file of await readdir(join(project, 'destinations'))) {
    const destination: object = parse(await readFile(join(project, 'destinations', file), 'utf8'));
    assert.ok(accepts(destination), file);
    assert.ok(!accepts({ ...destination, options: { no_such_option: 1 } }), file);
  }
});

test('docs lists what there is, prints a page, and helps with a slip', async () => {
  const listed = await readback(folder.folder, 'docs', '--output', 'csv');
  for (const name of [...connectorNames, ...warehouseNames])
    assert.match(listed.stdout, new RegExp(`,${name},`));
  const page = await readback(folder.folder, 'docs', 'zendesk');
  assert.match(page.stdout, /^# Zendesk\n[\s\S]*\| `api_token` \| required \|[\s\S]*## Limits/);
  const slip = await readback(folder.folder, 'docs', 'zendesc');
  assert.equal(slip.code, 2);
  assert.match(slip.stderr, /USAGE: there is no connector or warehouse of this name.*\n.*zendesk/);
});
