import assert from 'node:assert/strict';
import { test } from 'node:test';
import { edited, environment, load, soundFiles } from './written-project.ts';

const signal = 'signals/churn_risk.sql';
const env = { ...environment, API_TOKEN: 'open-sesame', WAREHOUSE_URL: 'postgres://localhost/shop' };
const postgres = '{ type: postgres, url: env:WAREHOUSE_URL }';

interface Changed {
  /** In the place of `schedule: …`. */
  header?: string;
  warehouse?: string;
  api?: string;
}

async function written({ header = 'every: 1h', warehouse, api = '' }: Changed) {
  const files = edited(signal, 'schedule: "*/5 * * * *"\n', `${header}\n`);
  const root = `${soundFiles['readback.yml']}${api}\n`;
  const own = '{ type: duckdb, path: ./data/warehouse.duckdb }';
  return load({ files: { ...files, 'readback.yml': warehouse ? root.replace(own, warehouse) : root }, env });
}

/** The first line of the first problem. */
async function problem(changed: Changed): Promise<string> {
  const [first] = (await written(changed)).problems;
  return first?.format().split('\n')[0] ?? 'none';
}

test('triggers are read, and what they leave open has a default', async () => {
  const header = 'every: 1h\ntrigger: { listen: Moves, replicate: { publication: moves }, probe: select 1 }';
  const { problems, signals } = await written({ header, warehouse: postgres });
  assert.deepEqual(problems, []);
  assert.deepEqual(signals.get('churn_risk')?.trigger, {
    listen: 'Moves',
    replicate: { publication: 'moves', slot: undefined },
    webhook: false,
    probe: { sql: 'select 1', everyMs: 10_000 },
  });
});

const trigger = (text: string) => ({ header: `every: 1h\ntrigger: ${text}` });
const cases: [rule: string, changed: Changed, found: string][] = [
  ['a trigger is one', trigger('{}'), `${signal}:4:1 CONFIG_VALUE: \`trigger\` names nothing`],
  [
    'every is the probe’s',
    trigger('{ webhook: true, every: 5s }'),
    `${signal}:4:27 CONFIG_VALUE: \`trigger.every\` needs \`trigger.probe\``,
  ],
  [
    'the schedule catches what a trigger loses',
    { header: 'trigger: { webhook: true }' },
    `${signal}:3:1 CONFIG_VALUE: \`trigger\` needs \`schedule\` or \`every\``,
  ],
  ['keys are known', trigger('{ lisen: moves }'), `${signal}:4:12 CONFIG_KEY: unknown key \`lisen\``],
  [
    'only some warehouses notify',
    trigger('{ listen: moves }'),
    `${signal}:4:20 CONFIG_VALUE: a duckdb warehouse has no \`listen\``,
  ],
  [
    'nor does every flavour of Postgres',
    {
      ...trigger('{ listen: moves }'),
      warehouse: '{ type: postgres, flavour: redshift, url: env:WAREHOUSE_URL }',
    },
    `${signal}:4:20 CONFIG_VALUE: a redshift warehouse has no \`listen\``,
  ],
  [
    'only some warehouses replicate',
    trigger('{ replicate: { publication: moves } }'),
    `${signal}:4:23 CONFIG_VALUE: a duckdb warehouse has no \`replicate\``,
  ],
  [
    'nothing but a name reaches the replication protocol',
    { ...trigger(`{ replicate: { publication: "m', x '" } }`), warehouse: postgres },
    `${signal}:4:38 CONFIG_VALUE: \`trigger.replicate.publication\`: write it as the server does: small letters, digits and _, at most 63 (got: m', x ')`,
  ],
  ['an API has a token', { api: 'api: {}' }, 'readback.yml:12:6 CONFIG_KEY: `token` is missing'],
  [
    'the token is a reference',
    { api: 'api: { token: open-sesame }' },
    'readback.yml:12:15 SECRET_REFERENCE: `token`: a secret must be a reference: write env:NAME or file:PATH, never the secret itself',
  ],
  [
    'an address has a port',
    { api: 'api: { listen: 127.0.0.1, token: env:API_TOKEN }' },
    'readback.yml:12:16 CONFIG_VALUE: `listen`: write an address and a port, such as 127.0.0.1:7333 (got: 127.0.0.1)',
  ],
];

for (const [rule, changed, found] of cases)
  test(`says where and why: ${rule}`, async () => assert.equal(await problem(changed), found));
