import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { readback } from '../cli/readback.ts';
import { emptyDatabase } from '../helpers/postgres.ts';

const manifest = {
  metadata: { dbt_schema_version: 'https://schemas.getdbt.com/dbt/manifest/v12.json', project_name: 'shop' },
  nodes: {
    'model.shop.orders': {
      resource_type: 'model',
      name: 'orders',
      package_name: 'shop',
      relation_name: '"warehouse"."analytics"."orders"',
    },
  },
  sources: {},
};

let root: string;
let database: Awaited<ReturnType<typeof emptyDatabase>>;
before(async () => {
  database = await emptyDatabase();
  const name = new URL(database.url).pathname.slice(1);
  await database.pool.query('create schema analytics');
  await database.pool.query(
    'create table analytics.orders (id int, at timestamptz, tags text[], facts jsonb, note text)',
  );
  await database.pool.query("insert into analytics.orders values (99, now(), '{}', '{}', 'real')");
  root = await mkdtemp(join(tmpdir(), 'readback-unit-'));
  const files: Record<string, string> = {
    'readback.yml': `project: p\nwarehouses:\n  main: { type: postgres, url: "file:url" }\ndbt: { project: ./shop }\n`,
    url: database.url,
    'shop/target/manifest.json': JSON.stringify(manifest).replace('"warehouse\\"', `"${name}\\"`),
    'signals/late.sql':
      "/*\nkey: id\nobserved_at: at\nwhen: at < timestamptz '2026-01-02' and facts->>'paid' = 'no'\n*/\nwith o as (select * from {{ ref('orders') }})\nselect id, at, facts from o where 'a''b' = any(tags) and note = 'it''s \\ so'",
    'tests/late.yaml': `signal: late
given:
  - input: ref('orders')
    rows:
      - { id: 7, at: 2026-01-01T00:00:00Z, tags: '{"a''b",c}', facts: { paid: no }, note: "it's \\\\ so" }
      - { id: 8, at: 2026-01-03T00:00:00Z, tags: "{a'b}", facts: { paid: no }, note: "it's \\\\ so" }
      - { id: 9, at: 2026-01-01T00:00:00Z, tags: "{a'b}", facts: { paid: "yes" }, note: "it's \\\\ so" }
expect:
  transitions: { entered: [7] }
`,
    'tests/wrong.yaml':
      "signal: late\ngiven: [{ input: ref('orders') }]\nexpect: { transitions: { entered: [1] } }\n",
  };
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), text);
  }
});
after(async () => {
  await rm(root, { recursive: true });
  await database.drop();
});

test('a test of a dbt model runs in Postgres, with the types of the model, and reads no row of it', async () => {
  const { code, stdout, stderr } = await readback(root, 'test');
  assert.equal(stderr, '');
  assert.equal(
    stdout,
    [
      'passed  late',
      'failed  wrong',
      '  tests/wrong.yaml:3:36 1',
      '    - expected entered',
      '    + found    nothing',
      '2 tests: 1 passed, 1 failed',
      '',
    ].join('\n'),
  );
  assert.equal(code, 1);
});

test('--output json says the same to a program', async () => {
  const { stdout } = await readback(root, 'test', '--output', 'json');
  const [late, wrong] = JSON.parse(stdout);
  assert.deepEqual([late.test, late.state, late.differences], ['late', 'passed', []]);
  assert.deepEqual(wrong.differences, [
    {
      place: { file: 'tests/wrong.yaml', line: 3, column: 36 },
      about: '1',
      expected: 'entered',
      found: 'nothing',
    },
  ]);
});

test('a broken test is told and counted, and the others run', async () => {
  await writeFile(join(root, 'tests/broken.yaml'), 'signal: late\ngivn: []\n');
  const { code, stdout } = await readback(root, 'test', '--select', 'late');
  assert.match(stdout, /^passed {2}late$/m);
  assert.match(stdout, /tests\/broken\.yaml:2:1 CONFIG_KEY: unknown key `givn`/);
  assert.match(stdout, /\d tests: 1 passed, 1 failed, \d+ not run/);
  assert.equal(code, 2);
  await rm(join(root, 'tests/broken.yaml'));
});

test('a model that is not given is not read from the warehouse: the test is refused', async () => {
  await writeFile(
    join(root, 'tests/lacking.yaml'),
    'signal: late\ngiven: [{ input: o, columns: { id: int } }]\nexpect: { transitions: {} }\n',
  );
  const { code, stdout } = await readback(root, 'test');
  assert.match(
    stdout,
    /tests\/lacking\.yaml:1:9 CONFIG_KEY: `ref\('orders'\)` is not given\n.*rows: \[\] for none/,
  );
  assert.equal(code, 2);
});
