import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openPool } from '../../src/store/database.ts';
import { migrate } from '../../src/store/migrate.ts';
import { cleanup } from '../helpers/cleanup.ts';
import { emptyDatabase, quiet, type TestDatabase } from '../helpers/postgres.ts';

const first = 'create table tasks (id integer);';
const second = 'alter table tasks add column name text; create index tasks_name on tasks (name);';

test('migrations run in order, once, in the schema readback', async (t) => {
  const { pool } = await emptyDatabase();
  const folder = await migrations(t, { '000001.sql': first, '000002.sql': second });
  assert.deepEqual(await migrate(pool, folder), [1, 2]);
  assert.deepEqual(await migrate(pool, folder), []);
  assert.equal((await pool.query('select * from readback.tasks')).fields.length, 2);
});

test('a later version applies only what is new', async (t) => {
  const { pool } = await emptyDatabase();
  const folder = await migrations(t, { '000001.sql': first });
  await migrate(pool, folder);
  await writeFile(join(folder, '000002.sql'), second);
  assert.deepEqual(await migrate(pool, folder), [2]);
});

test('of many processes that start at once one migrates and the others wait', async (t) => {
  const database = await emptyDatabase();
  const folder = await migrations(t, {
    '000001.sql': first,
    '000002.sql': `select pg_sleep(0.1); ${second}`,
  });
  const pools = Array.from({ length: 8 }, () => anotherPool(t, database));
  const applied = await Promise.all(pools.map((pool) => migrate(pool, folder)));
  assert.deepEqual(applied.flat(), [1, 2]);
});

test('a failing migration is rolled back whole, names itself and gives the lock back', async (t) => {
  const { pool } = await emptyDatabase();
  const folder = await migrations(t, {
    '000001.sql': first,
    '000002.sql': `create table half (id integer); select 1 / 0;`,
  });
  await assert.rejects(migrate(pool, folder), /Migration 2 failed: division by zero/);
  assert.equal((await pool.query(`select to_regclass('readback.half') as half`)).rows[0].half, null);
  await writeFile(join(folder, '000002.sql'), second);
  assert.deepEqual(await migrate(pool, folder), [2]);
});

test('an applied migration whose text changed is refused', async (t) => {
  const { pool } = await emptyDatabase();
  const folder = await migrations(t, { '000001.sql': first });
  await migrate(pool, folder);
  await writeFile(join(folder, '000001.sql'), `${first}\n-- changed`);
  await assert.rejects(migrate(pool, folder), {
    code: 'LEDGER_VERSION',
    message: /Migration 1 is not the one this ledger was made with/,
  });
});

test('line ends of another system are no change', async (t) => {
  const { pool } = await emptyDatabase();
  const folder = await migrations(t, { '000001.sql': `${first}\n-- end\n` });
  await migrate(pool, folder);
  await writeFile(join(folder, '000001.sql'), `${first}\r\n-- end\r\n`);
  assert.deepEqual(await migrate(pool, folder), []);
});

test('a ledger of a newer Readback is left alone', async (t) => {
  const { pool } = await emptyDatabase();
  const folder = await migrations(t, { '000001.sql': first, '000002.sql': second });
  await migrate(pool, folder);
  await rm(join(folder, '000002.sql'));
  await assert.rejects(migrate(pool, folder), {
    code: 'LEDGER_VERSION',
    message: /migrated by a newer Readback \(its schema is version 2, this one knows 1\)/,
  });
});

test('a gap in the numbers is refused', async (t) => {
  const { pool } = await emptyDatabase();
  const folder = await migrations(t, { '000001.sql': first, '000003.sql': second });
  await assert.rejects(migrate(pool, folder), /found 000003.sql where 000002.sql was expected/);
});

async function migrations(t: TestContext, files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'readback-migrations-'));
  cleanup(t, () => rm(folder, { recursive: true, force: true }));
  for (const [name, sql] of Object.entries(files)) await writeFile(join(folder, name), sql);
  return folder;
}

function anotherPool(t: TestContext, { url }: TestDatabase) {
  const pool = openPool(url, { log: quiet, size: 1 });
  cleanup(t, () => pool.end());
  return pool;
}
