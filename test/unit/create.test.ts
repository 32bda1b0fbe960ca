import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import { start } from '../cli/readback.ts';
import { openShop, type Shop, shopFiles } from './shop.ts';

let shop: Shop;
before(async () => {
  shop = await openShop();
  await shop.warehouse.run(`
    insert into scores values ('C-1042', 0.917, '2026-01-31 09:30:00+00'), ('C-2000', 0.1, now());
    insert into plans values ('C-1042', 'enterprise');
    insert into profiles values ('C-1042', 'Ada.Moreno@Shop.example');
  `);
});
after(() => shop.close());

const run = (...args: string[]) => start(shop.root, args, { HUBSPOT_ACCESS_TOKEN: 'pat' }).end();

test('a test of a real row holds no value of it, and passes', async () => {
  const made = await run('create-test', 'churn', '--key', 'C-1042');
  assert.equal(made.stderr, '');
  assert.equal(made.code, 0);
  const [file = ''] = await readdir(join(shop.root, 'tests'));
  assert.match(file, /^churn_[A-Z]_\d{4}\.yaml$/);
  assert.match(made.stdout, new RegExp(`^tests/${file}: look at it`));
  const text = await readFile(join(shop.root, 'tests', file), 'utf8');
  assert.doesNotMatch(text, /1042|moreno|enterprise|09:30/i);
  const { given, expect } = parse(text);
  assert.deepEqual(
    given.map(({ input }: { input: string }) => input),
    ['scores', 'main.plans', 'profiles'],
  );
  assert.deepEqual(given[0].columns, {
    customer_id: 'VARCHAR',
    score: 'DECIMAL(4,3)',
    scored_at: 'TIMESTAMP WITH TIME ZONE',
  });
  assert.equal(expect.transitions.entered.length, 1);
  assert.equal(expect.actions.contact[0].entity, expect.transitions.entered[0]);
  assert.match(expect.actions.contact[0].fields.email, /^[a-z]{3}\.[a-z]{6}@example\.com$/);
  const tested = await run('test');
  assert.match(tested.stdout, /1 test: 1 passed, 0 failed/);
  assert.equal(tested.code, 0);
});

test('a test that is there is not written over, but with --force', async () => {
  const [file = ''] = await readdir(join(shop.root, 'tests'));
  await writeFile(join(shop.root, 'tests', file), 'mine');
  const again = await run('create-test', 'churn', '--key', 'C-1042');
  assert.equal(again.code, 2);
  assert.match(again.stderr, /USAGE: tests\/churn_.* is there already\n.*--force/);
  assert.equal(await readFile(join(shop.root, 'tests', file), 'utf8'), 'mine');
  assert.equal((await run('create-test', 'churn', '--key', 'C-1042', '--force')).code, 0);
  assert.notEqual(await readFile(join(shop.root, 'tests', file), 'utf8'), 'mine');
});

test('an entity without rows is told', async () => {
  const { code, stderr } = await run('create-test', 'churn', '--key', 'C-7');
  assert.equal(code, 2);
  assert.match(stderr, /SELECTION: no table that churn reads has rows of C-7\n.*customer_id/);
});

test('a table that is not recognised in the SQL gets no real value into the test', async () => {
  const sql = (shopFiles['sql/enrich/profile.sql'] ?? '').replace(
    /select.*/,
    "select s.customer_id, x.email from scores s, (values ('Ada.Moreno@Shop.example')) as x(email)",
  );
  // The text stands in the SQL, so it may be shown; one that comes from a table may not.
  const hidden = sql.replace(/\(values.*\) as x\(email\)/, 'profiles x');
  const other = await openShop({ ...shopFiles, 'sql/enrich/profile.sql': hidden });
  try {
    await other.warehouse.run(`
      insert into scores values ('C-1042', 0.917, now());
      insert into plans values ('C-1042', 'enterprise');
      insert into profiles values ('C-1042', 'Ada.Moreno@Shop.example');
    `);
    const env = { HUBSPOT_ACCESS_TOKEN: 'pat' };
    const { code, stderr } = await start(other.root, ['create-test', 'churn', '--key', 'C-1042'], env).end();
    assert.equal(code, 2);
    assert.match(stderr, /USAGE: real values of email would be written/);
    assert.doesNotMatch(stderr, /moreno/i);
  } finally {
    await other.close();
  }
});
