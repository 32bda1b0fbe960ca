import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ReadbackError } from '../../src/errors.ts';
import { openDatabase, openPool, transaction } from '../../src/store/database.ts';
import { cleanup } from '../helpers/cleanup.ts';
import { emptyDatabase, fastFolder, quiet } from '../helpers/postgres.ts';

test('without a URL the embedded server of the project is started, and stopped at the end', async (t) => {
  const root = await mkdtemp(join(await fastFolder(), 'readback-database-'));
  cleanup(t, () => rm(root, { recursive: true, force: true }));
  const database = await openDatabase({ root, log: quiet });
  assert.equal((await database.pool.query('select 1 as one')).rows[0].one, 1);
  await database.close();
  await assert.rejects(openPool(database.url, { log: quiet }).query('select 1'), /ECONNREFUSED/);
});

test('connections see the schema readback first and carry our name', async (t) => {
  const database = await open(t);
  const { rows } = await database.pool.query(
    `select current_setting('search_path') as path, current_setting('application_name') as name`,
  );
  assert.deepEqual(rows, [{ path: 'readback,public', name: `readback ${process.pid}` }]);
});

test('sessions of a machine that is cut off end soon, unless the URL says otherwise', async (t) => {
  const settings = `select current_setting('tcp_keepalives_idle') as idle`;
  const usual = await (await open(t)).pool.query(settings);
  assert.deepEqual(usual.rows, [{ idle: '10' }]);
  const own = await (await open(t, '&options=-c%20tcp_keepalives_idle%3D60')).pool.query(settings);
  assert.deepEqual(own.rows, [{ idle: '60' }]);
});

test('a transaction that nobody goes on with does not hold up the others for ever', async (t) => {
  const usual = await (await open(t)).pool.query('show idle_in_transaction_session_timeout');
  assert.deepEqual(usual.rows, [{ idle_in_transaction_session_timeout: '30s' }]);
  const { pool } = await open(t, '&options=-c%20idle_in_transaction_session_timeout%3D200');
  await pool.query('create table ticks (at integer primary key)');
  const hanging = await pool.connect();
  await hanging.query('begin');
  await hanging.query('insert into ticks values (1)');
  await pool.query('insert into ticks values (1)');
  await assert.rejects(hanging.query('commit'));
  hanging.release(true);
});

test('options in the URL are kept', async (t) => {
  const database = await open(t, '&options=-c%20work_mem%3D5MB');
  const { rows } = await database.pool.query(
    `select current_setting('search_path') as path, current_setting('work_mem') as memory`,
  );
  assert.deepEqual(rows, [{ path: 'readback,public', memory: '5MB' }]);
});

test('values keep what they mean', async (t) => {
  const { pool } = await open(t);
  const { rows } = await pool.query(`select
    1::bigint as small, 9007199254740993::bigint as large, array[1, null]::bigint[] as list, 1.10::numeric as price,
    date '2026-03-29' as day, timestamptz '2026-03-29 01:30:00.123+00' as instant`);
  assert.deepEqual(rows, [
    {
      small: 1,
      large: '9007199254740993',
      list: [1, null],
      price: '1.10',
      day: '2026-03-29',
      instant: new Date('2026-03-29T01:30:00.123Z'),
    },
  ]);
});

test('a server that is not there is reported without the password', async () => {
  const url = 'postgres://someone:s3cret@127.0.0.1:1/ledger';
  await assert.rejects(openDatabase({ url, root: '/', log: quiet }), (error) => {
    assert.ok(error instanceof ReadbackError);
    assert.equal(error.code, 'LEDGER_UNREACHABLE');
    assert.match(error.format(), /127\.0\.0\.1:1\/ledger did not answer.*ECONNREFUSED/);
    assert.doesNotMatch(error.format(), /s3cret/);
    return true;
  });
});

test('something that is no URL is reported without repeating it', async () => {
  await assert.rejects(openDatabase({ url: 'host=x password=s3cret', root: '/', log: quiet }), (error) => {
    assert.ok(error instanceof ReadbackError);
    assert.match(error.format(), /READBACK_DATABASE_URL is not a URL/);
    assert.doesNotMatch(error.format(), /s3cret/);
    return true;
  });
});

test('a transaction commits what it did', async (t) => {
  const { pool } = await open(t);
  await transaction(pool, (client) => client.query('create table public.kept as select 1 as id'));
  assert.equal((await pool.query('select * from kept')).rowCount, 1);
});

test('a transaction that throws leaves nothing behind and its connection usable', async (t) => {
  const { pool } = await open(t, '', 1);
  const failing = transaction(pool, async (client) => {
    await client.query('create table public.gone ()');
    throw new Error('changed my mind');
  });
  await assert.rejects(failing, /changed my mind/);
  assert.deepEqual((await pool.query(`select to_regclass('gone') as gone`)).rows, [{ gone: null }]);
});

test('a connection cut inside a transaction is not handed out again', async (t) => {
  const { pool } = await open(t, '', 1);
  const cut = transaction(pool, (client) => client.query('select pg_terminate_backend(pg_backend_pid())'));
  await assert.rejects(cut, /terminating connection/);
  assert.equal((await pool.query('select 1 as one')).rows[0].one, 1);
});

test('an idle connection that is cut does not end the process', async (t) => {
  const { pool } = await open(t);
  const [idle, other] = [await pool.connect(), await pool.connect()];
  const { rows } = await idle.query('select pg_backend_pid() as pid');
  idle.release();
  const lost = new Promise((resolve) => pool.once('error', resolve));
  await other.query('select pg_terminate_backend($1)', [rows[0].pid]);
  other.release();
  await lost;
  assert.equal((await pool.query('select 1 as one')).rows[0].one, 1);
});

test('a connection that is cut while its holder works on something else does not end the process', async (t) => {
  const { pool } = await open(t);
  const [held, other] = [await pool.connect(), await pool.connect()];
  const { rows } = await held.query('select pg_backend_pid() as pid');
  const lost = new Promise((resolve) => held.once('end', resolve));
  await other.query('select pg_terminate_backend($1)', [rows[0].pid]);
  await lost;
  await assert.rejects(held.query('select 1'), /not queryable/);
  held.release(true);
  other.release();
});

async function open(t: Parameters<typeof cleanup>[0], extra = '', size = 10) {
  const { url } = await emptyDatabase();
  const database = await openDatabase({ url: url + extra, root: '/', log: quiet, size });
  cleanup(t, () => database.close());
  return database;
}
