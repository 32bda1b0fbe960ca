import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type pg from 'pg';
import { Secret } from '../../src/config/secret.ts';
import { Deadline } from '../../src/warehouses/deadline.ts';
import { warehouse } from '../../src/warehouses/postgres/index.ts';
import { type Batch, readRows } from '../../src/warehouses/postgres/read.ts';
import { type Settings, settingsSchema } from '../../src/warehouses/postgres/settings.ts';
import { targetOf, tlsOptions } from '../../src/warehouses/postgres/target.ts';
import type { Warehouse } from '../../src/warehouses/warehouse.ts';
import { emptyDatabase, type TestDatabase } from '../helpers/postgres.ts';
import { examine } from './exam.ts';
import { patient } from './fixture.ts';
import { makeFixture } from './postgres/fixture.ts';

examine(warehouse, makeFixture);

describe('Postgres server', () => {
  let database: TestDatabase;
  const opened: Warehouse[] = [];
  const open = async (settings: Record<string, unknown>) => {
    const one = await warehouse.open(warehouse.schema.parse(settings));
    opened.push(one);
    return one;
  };
  const drain = async (from: Warehouse, sql: string) => {
    let rows = 0;
    for await (const batch of from.read({ sql, params: [] }, patient)) rows += batch.length;
    return rows;
  };
  before(async () => {
    database = await emptyDatabase();
    await database.pool.query('create table parts (id bigint, shop text, stock int, primary key (id, shop))');
    await database.pool.query(
      `insert into parts select n, 'north', n % 7 from generate_series(1, 50000) as n`,
    );
    await database.pool.query('create unique index on parts (id)');
    await database.pool.query('analyze parts');
  });
  after(async () => {
    await Promise.all(opened.map((one) => one.close()));
    await database.drop();
  });

  it('cannot be made writable by SQL', async () => {
    const reader = await open({ url: new Secret(database.url) });
    await database.pool.query('create sequence numbers');
    for (const sql of [
      `select set_config('transaction_read_only', 'off', true)`,
      `select nextval('numbers')`,
      'select id from parts for update',
      `select lo_create(1)`,
    ]) {
      await assert.rejects(drain(reader, sql), /read-only transaction|must be set before any query/, sql);
    }
  });

  it('suggests the column that may be meant, by the name that its author knows', async () => {
    const reader = await open({ url: new Secret(database.url) });
    const missing = (sql: string, hint: string) =>
      assert.rejects(reader.describe(sql, patient), { code: 'SIGNAL_SQL', hint });
    await missing(
      'select * from (select stock from parts) as signal where stok > 1',
      'did you mean `stock`?',
    );
    await missing('select p.stok from parts as p', 'did you mean `p.stock`?');
  });

  it('keeps snapshots where the role may, and nowhere else', async () => {
    const role = `keeper_${process.pid}`;
    const { pool } = database;
    await pool.query(`create role ${role} login password 'keeper'`);
    await pool.query(`create schema kept; grant select on parts to ${role}`);
    const url = new URL(database.url);
    [url.username, url.password] = [role, 'keeper'];
    const keeper = await open({ url: new Secret(url.href), scratch_schema: 'kept' });
    const { snapshots } = keeper;
    assert.ok(snapshots);
    const query = { sql: 'select * from parts', key: ['id'], when: 'stock > 3', rearm: undefined };
    const create = snapshots.create('readback_1', { ...query, track: [], observedAt: undefined }, 16);
    const refusal = { code: 'WAREHOUSE_QUERY', hint: /grant usage, create on schema kept/ };
    await assert.rejects(snapshots.write(create, patient), refusal);
    await pool.query(`grant usage, create on schema kept to ${role}`);
    await snapshots.write(create, patient);
    assert.equal(await drain(keeper, snapshots.count('readback_1').sql), 1);
    for (const sql of ['create table kept.other (id int)', 'delete from kept.readback_1'])
      await assert.rejects(drain(keeper, sql), { code: 'SIGNAL_SQL' });
    const elsewhere = { sql: 'create table public.other (id int)', params: [] };
    await assert.rejects(snapshots.write(elsewhere, patient), { code: 'WAREHOUSE_QUERY' });
    await pool.query(`drop owned by ${role} cascade; drop role ${role}`);
  });

  it('answers lookups from an index', async () => {
    const reader = await open({ url: new Secret(database.url) });
    const sql = 'select * from parts';
    const columns = await reader.describe(sql, patient);
    const keys = Array.from({ length: 200 }, (_, at) => [String(at + 1), 'north']);
    for (const width of [1, 2]) {
      const statement = reader.lookup(
        sql,
        columns.slice(0, width),
        keys.map((key) => key.slice(0, width)),
      );
      const plan = await database.pool.query(`explain ${statement.sql}`, statement.params);
      assert.match(JSON.stringify(plan.rows), /Index/, `a key of ${width}`);
      assert.doesNotMatch(JSON.stringify(plan.rows), /Seq Scan/);
    }
  });

  it('is asked on no more than max_connections', async () => {
    const reader = await open({ url: new Secret(database.url), max_connections: 2 });
    let most = 0;
    const watching = setInterval(async () => {
      const { rows } = await database.pool.query(
        `select count(*)::int as n from pg_stat_activity
         where application_name = 'readback' and datname = current_database()
           and query like '%limited%' and state <> 'idle'`,
      );
      most = Math.max(most, rows[0].n);
    }, 20);
    await Promise.all(Array.from({ length: 6 }, () => drain(reader, `select 'limited', pg_sleep(0.1)`)));
    clearInterval(watching);
    assert.ok(most <= 2, `${most} connections`);
  });

  it('throws when the connection is cut in the middle of a result', async () => {
    const cable = await cutAfter(database.url, 400_000);
    const reader = await open({ url: new Secret(cable.url) });
    await assert.rejects(drain(reader, 'select a.* from parts a'), { code: 'WAREHOUSE_UNREACHABLE' });
    await cable.close();
  });

  it('gives up on a result of which rows are missing', async () => {
    const deadline = new Deadline(patient);
    // What a server says, less one of three rows.
    const query = (batch: Batch): Batch => {
      for (const text of ['1', '2']) batch.handleDataRow({ fields: [text] });
      batch.handleCommandComplete({ text: 'SELECT 3' });
      batch.handleReadyForQuery();
      return batch;
    };
    const client = { query } as unknown as pg.ClientBase;
    const reading = async () => {
      for await (const _ of readRows(client, { sql: '', params: [] }, deadline));
    };
    await assert.rejects(reading(), { code: 'WAREHOUSE_INCOMPLETE', message: /2 rows arrived of 3/ });
    deadline.dispose();
  });

  it('is told apart from a wrong password, a wrong database and a wrong name', async () => {
    const wrong = (change: (url: URL) => void) => {
      const url = new URL(database.url);
      change(url);
      return open({ url: new Secret(url.href) });
    };
    const absent = await wrong((url) => {
      url.pathname = '/not_there';
    });
    await assert.rejects(absent.check(patient), {
      code: 'WAREHOUSE_UNREACHABLE',
      hint: /name of the database/,
    });
    const nowhere = await wrong((url) => {
      url.hostname = 'nowhere.invalid';
    });
    const encrypted = await open({ url: new Secret(database.url), sslmode: 'require' });
    await assert.rejects(encrypted.check(patient), { code: 'WAREHOUSE_UNREACHABLE', hint: /sslmode/ });
    await assert.rejects(nowhere.check(patient), {
      code: 'WAREHOUSE_UNREACHABLE',
      hint: /spelling of the host/,
    });
  });
});

describe('Postgres settings', () => {
  const target = (settings: Record<string, unknown>) => targetOf(settingsSchema.parse(settings) as Settings);

  it('are a url, or its parts', () => {
    const url = target({
      url: new Secret('postgresql://me:p%40ss@db.example:6432/shop?sslmode=verify-full'),
    });
    assert.equal(url.shown, 'me@db.example:6432/shop');
    assert.equal(url.config.password, 'p@ss');
    assert.equal(url.sslMode, 'verify-full');
    const parts = target({ host: '/var/run/postgresql', database: 'shop', sslmode: 'require' });
    assert.equal(parts.sslMode, 'disable');
    assert.equal(parts.config.port, 5432);
  });

  it('are refused when both or neither are there', () => {
    assert.equal(settingsSchema.safeParse({}).success, false);
    assert.equal(settingsSchema.safeParse({ url: new Secret('x'), host: 'y' }).success, false);
    assert.equal(settingsSchema.safeParse({ url: 'postgres://me:open@host/db' }).success, false);
  });

  it('never show a url that cannot be understood', () => {
    for (const url of ['hunter2', 'mysql://me:hunter2@host/db', 'postgres://me:%hunter2@host/db']) {
      assert.throws(
        () => target({ url: new Secret(url) }),
        (error: Error) => !JSON.stringify([error.message, error.stack, error.cause]).includes('hunter2'),
      );
    }
  });

  it('look at the certificate only when they say verify', () => {
    assert.equal(tlsOptions('disable', undefined), false);
    assert.deepEqual(tlsOptions('require', undefined), { rejectUnauthorized: false });
    assert.deepEqual(tlsOptions('verify-full', 'PEM'), { rejectUnauthorized: true, ca: 'PEM' });
  });
});

/** A proxy in front of the database that goes dead after so many bytes of answers. */
async function cutAfter(url: string, bytes: number): Promise<{ url: string; close(): Promise<void> }> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    let passed = 0;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    client.pipe(upstream);
    upstream.on('data', (data) => {
      passed += data.length;
      if (passed > bytes) {
        client.destroy();
        upstream.destroy();
      } else client.write(data);
    });
    upstream.on('close', () => client.destroy());
    client.on('close', () => upstream.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  target.port = String((server.address() as { port: number }).port);
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: target.href, close };
}
