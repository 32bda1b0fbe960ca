import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import type { Project } from '../../src/config/model.ts';
import { loadProject } from '../../src/config/project.ts';
import { Secret } from '../../src/config/secret.ts';
import type { ReadbackError } from '../../src/errors.ts';
import { edited, environment, load, soundFiles } from './written-project.ts';

const signal = 'signals/churn_risk.sql';
const destination = 'destinations/retention_task.yaml';
const told = (problems: readonly ReadbackError[]) =>
  problems.map((problem) => problem.format().split('\n')[0]);

function tokenOf({ connections }: Project): string | undefined {
  const token = connections.get('crm')?.settings.access_token;
  return token instanceof Secret ? token.reveal() : undefined;
}

test('a folder without readback.yml is the one thing that throws', async () => {
  await assert.rejects(loadProject('/nowhere/at/all'), (error: ReadbackError) => {
    assert.equal(error.code, 'CONFIG_FILE');
    assert.match(error.hint ?? '', /readback init/);
    return true;
  });
});

test('what is not written has its default', async () => {
  const { signals, destinations, warehouses, root } = await load({});
  const churn = signals.get('churn_risk');
  assert.deepEqual(churn?.schedule, { cron: '*/5 * * * *', timezone: 'UTC' });
  assert.deepEqual(churn?.on, ['entered', 'left']);
  assert.equal(churn?.warehouse, 'analytics');
  assert.equal(churn?.severity, 'medium');
  assert.equal(churn?.timeoutMs, 60_000);
  assert.equal(churn?.sql, 'select customer_id, churn_probability from churn_scores');
  assert.equal(churn?.sqlLine, 7);
  assert.deepEqual(churn?.places.get('when'), { line: 5, column: 7 });
  const task = destinations.get('retention_task');
  assert.equal(task?.ttlMs, 86_400_000);
  assert.deepEqual(task?.on, ['entered']);
  assert.equal(task?.maxAttempts, 8);
  assert.deepEqual(task?.verify, { fields: undefined, withinMs: 120_000, lagMs: undefined });
  assert.equal(warehouses.get('analytics')?.settings.path, `${root}/data/warehouse.duckdb`);
});

test('defaults of readback.yml reach what says nothing else', async () => {
  const defaults = 'defaults: { timezone: Europe/Berlin, owner: ops, severity: low, sla: 1h, ttl: 2h }\n';
  const { signals, destinations } = await load({
    files: { 'readback.yml': soundFiles['readback.yml'] + defaults },
  });
  const churn = signals.get('churn_risk');
  assert.deepEqual(churn?.schedule, { cron: '*/5 * * * *', timezone: 'Europe/Berlin' });
  assert.equal(churn?.owner, 'ops');
  assert.equal(churn?.severity, 'low');
  assert.equal(churn?.slaMs, 3_600_000);
  assert.equal(destinations.get('retention_task')?.ttlMs, 7_200_000);
});

test('the ttl of a destination comes before that of its signals, and theirs before the default', async () => {
  const own = edited(signal, 'key: customer_id', 'key: customer_id\nttl: 3h');
  assert.equal((await load({ files: own })).destinations.get('retention_task')?.ttlMs, 10_800_000);
  const files = { ...own, [destination]: `${soundFiles[destination]}ttl: 9h\n` };
  assert.equal((await load({ files })).destinations.get('retention_task')?.ttlMs, 32_400_000);
});

test('secrets come from the environment and files, and never show', async () => {
  const files = {
    ...edited('readback.yml', 'env:HUBSPOT_TOKEN', 'file:secrets/token'),
    'secrets/token': 'from-a-file\n',
  };
  const project = await load({ files });
  assert.equal(tokenOf(project), 'from-a-file');
  const shown = inspect(project, { depth: 9 }) + JSON.stringify([...project.connections]);
  assert.doesNotMatch(shown, /from-a-file|xoxb|zd-12345/);
});

test('a secret in the open is refused without repeating it', async () => {
  for (const written of [
    'xoxb-open-secret',
    '"xoxb-open-secret',
    'xoxb-open-secret, extra_xoxb: 1',
    '*xoxb-open-secret',
    '[xoxb-open-secret]',
  ]) {
    const { problems, connections } = await load({
      files: edited('readback.yml', 'env:SLACK_TOKEN', written),
    });
    assert.ok(problems.length > 0);
    assert.doesNotMatch(inspect(problems.map((problem) => problem.format())), /open-secret/);
    assert.ok(!connections.has('team'));
  }
});

test('a connection without its secret is told once; what depends on it is checked and waits', async () => {
  const files = {
    'destinations/second.yaml':
      'connection: crm\naction: create_task\nsignals: churn_risk\nfields: { subjct: x }\n',
  };
  const { problems, destinations, connections } = await load({
    files,
    env: { ...environment, HUBSPOT_TOKEN: '' },
  });
  assert.deepEqual([...connections.keys()].sort(), ['support', 'team']);
  assert.deepEqual([...destinations.keys()], []);
  assert.deepEqual(told(problems), [
    'readback.yml:5:44 SECRET_REFERENCE: the environment variable HUBSPOT_TOKEN is empty (got: env:HUBSPOT_TOKEN)',
    'destinations/second.yaml:4:11 CONFIG_KEY: unknown key `subjct`',
    'destinations/second.yaml:4:9 CONFIG_KEY: `subject` is missing',
    'destinations/retention_task.yaml CONFIG_REFERENCE: left out because connection `crm` has problems: destinations/retention_task.yaml',
  ]);
});

test('a broken signal leaves the others running', async () => {
  const files = {
    'signals/broken.sql': '/* key: 1h, : */ select 1',
    'signals/other.sql': '/* key: id */ select 1 as id',
  };
  const project = await load({
    files: { ...files, ...edited(destination, '[churn_risk]', '[churn_risk, broken]') },
  });
  assert.deepEqual([...project.signals.keys()], ['churn_risk', 'other']);
  assert.deepEqual(project.destinations.get('retention_task')?.signals, ['churn_risk']);
  assert.ok(project.problems.every(({ place }) => place?.file === 'signals/broken.sql'));
});

test('a target lays its settings over, and a mistyped one reaches no account', async () => {
  const targets =
    'targets:\n  prod:\n    connections:\n      crm: { access_token: env:PROD_TOKEN }\n      support: { subdmain: acme2 }\n';
  const files = { 'readback.yml': soundFiles['readback.yml'] + targets };
  const env = { ...environment, PROD_TOKEN: 'production' };
  const prod = await load({ files, env, target: 'prod' });
  assert.equal(tokenOf(prod), 'production');
  assert.deepEqual(told(prod.problems), ['readback.yml:16:18 CONFIG_KEY: unknown key `subdmain`']);
  const named = await load({ files, env: { ...env, READBACK_TARGET: 'prod' } });
  assert.equal(tokenOf(named), 'production');
  await assert.rejects(load({ files, env, target: 'prd' }), (error: ReadbackError) => {
    assert.deepEqual(told([error]), [
      'readback.yml:12:1 CONFIG_REFERENCE: there is no target `prd` in readback.yml',
    ]);
    return true;
  });
});

test('a readback.yml that is no text is a problem with its place, not an exception', async () => {
  const { problems, name } = await load({ files: { 'readback.yml': 'project: acme\n\0' } });
  assert.equal(name, '');
  assert.deepEqual(told(problems), [
    'readback.yml:2:1 CONFIG_FILE: the file holds a NUL byte, so it is not text',
  ]);
});

test('a readback.yml that is not YAML is the only problem', async () => {
  const { problems, signals } = await load({ files: { 'readback.yml': 'project: acme\n  warehouses: {' } });
  assert.equal(signals.size, 0);
  assert.ok(problems.every(({ place, code }) => place?.file === 'readback.yml' && code === 'CONFIG_YAML'));
});

test('byte order marks and Windows line ends change no place and no hash', async () => {
  const plain = await load({ files: edited(signal, 'key: customer_id', 'key: customer_id\nslaa: 1h') });
  const windows = Object.entries(edited(signal, 'key: customer_id', 'key: customer_id\nslaa: 1h')).map(
    ([file, text]) => [file, `\uFEFF${text.replaceAll('\n', '\r\n')}`],
  );
  const other = await load({ files: Object.fromEntries(windows) });
  assert.deepEqual(told(other.problems), told(plain.problems));
  const saved = { [signal]: `\uFEFF${soundFiles[signal]?.replaceAll('\n', '\r\n')}` };
  assert.deepEqual(
    (await load({ files: saved })).signals.get('churn_risk'),
    (await load({})).signals.get('churn_risk'),
  );
});

test('a statement on the line of the header keeps its columns', async () => {
  const { signals } = await load({ files: { 'signals/short.sql': '/* key: id */ select 1 as id;\n' } });
  assert.equal(signals.get('short')?.sql, `${' '.repeat(14)}select 1 as id`);
  assert.equal(signals.get('short')?.sqlLine, 1);
});

test('version follows what decides the rows; shape what makes two results comparable', async () => {
  const hashes = async (before: string, after: string) => {
    const { signals } = await load({ files: edited(signal, before, after) });
    const { version, shape } = signals.get('churn_risk') ?? {};
    return { version, shape };
  };
  const same = await hashes('description: Customers', 'severity: high\ndescription: Clients');
  assert.deepEqual(await hashes('key: customer_id', 'key: [customer_id]'), same);
  const condition = await hashes('0.85', '0.9');
  assert.notEqual(condition.version, same.version);
  assert.equal(condition.shape, same.shape);
  const key = await hashes('key: customer_id', 'key: [customer_id, region]');
  assert.notEqual(key.version, same.version);
  assert.notEqual(key.shape, same.shape);
  const changes = await hashes('key: customer_id', 'key: customer_id\non: [entered, changed, left]');
  assert.notEqual(changes.shape, same.shape);
});

test('an enrichment without a key has the key of the signals that use it', async () => {
  assert.deepEqual((await load({})).enrichments.get('customer_profile')?.key, ['customer_id']);
  const files = {
    'signals/stock.sql': '/* key: sku */ select 1 as sku',
    ...edited(destination, '[churn_risk]', '[churn_risk, stock]'),
  };
  const { problems } = await load({ files });
  assert.deepEqual(told(problems), [
    'sql/enrich/customer_profile.sql:1:1 CONFIG_KEY: `key` is missing, and the signals that use it have different keys',
  ]);
});

test('fields mean the text that is written', async () => {
  const files = {
    'destinations/ticket.yaml':
      'connection: support\naction: create_ticket\nsignals: churn_risk\nfields: { body: 007, subject: 1.50, assignee_id: 12345678901234567890 }\n',
  };
  const { destinations, problems } = await load({ files });
  assert.deepEqual(problems, []);
  assert.deepEqual(destinations.get('ticket')?.fields, {
    body: '007',
    subject: '1.50',
    assignee_id: '12345678901234567890',
  });
});

test('destinations that follow each other in a circle are all told', async () => {
  const one = (follows: string) =>
    `connection: crm\naction: create_task\nsignals: churn_risk\nfollows: ${follows}\nfields: { subject: x }\n`;
  const { problems, destinations } = await load({
    files: { 'destinations/a.yaml': one('b'), 'destinations/b.yaml': one('a') },
  });
  assert.deepEqual([...destinations.keys()], ['retention_task']);
  assert.deepEqual(told(problems), [
    'destinations/a.yaml:4:10 CONFIG_REFERENCE: destinations follow each other in a circle: a → b → a',
    'destinations/b.yaml:4:10 CONFIG_REFERENCE: destinations follow each other in a circle: b → a → b',
  ]);
});
