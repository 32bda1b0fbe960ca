import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { Deadline } from '../../src/warehouses/deadline.ts';
import { warehouse } from '../../src/warehouses/duckdb/index.ts';
import { readRows } from '../../src/warehouses/duckdb/read.ts';
import { loadTemplates } from '../../src/warehouses/template.ts';
import { examine } from './exam.ts';
import { type Fixture, patient } from './fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'readback-duckdb-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

async function makeFile(): Promise<{ path: string; execute(sql: string): Promise<void> }> {
  const path = join(folder, `${++files}.duckdb`);
  const execute = async (sql: string) => {
    const instance = await DuckDBInstance.create(path);
    const connection = await instance.connect();
    await connection.run(sql);
    connection.closeSync();
    instance.closeSync();
  };
  await execute('select 1');
  return { path, execute };
}

async function makeFixture(): Promise<Fixture> {
  const { path, execute } = await makeFile();
  return {
    // With a file that may be written to beside it, the exam is the harder.
    settings: { path, scratch_path: `${path}.scratch` },
    unreachable: { settings: { path: join(folder, 'absent.duckdb') }, secret: '\0' },
    execute,
    // A query that ran on would hold the file open.
    running: async () => 0,
    close: async () => {},
    dialect: {
      series: (count) => `select range as n from range(${count})`,
      slow: 'select count(*) as n from range(100000000000) as a, range(1000) as b',
      failsHalfway: `select case when range = 500000 then error('no') else 'yes' end as n from range(1000000)`,
      fingerprint: 'd5293dc9754872c2',
      forbidden: [
        'pragma version',
        'call pragma_version()',
        'set threads = 1',
        `copy stock to '${join(folder, 'stolen.csv')}'`,
        `attach '${join(folder, 'other.duckdb')}'`,
        'install httpfs',
        'load httpfs',
        'checkpoint',
        'vacuum',
        `export database '${folder}'`,
        'use memory',
        'create table readback_scratch.stolen as select 1 as id',
        'drop schema readback_scratch.main',
        `select * from read_text('/etc/hostname')`,
      ],
      values: [
        { sql: 'cast(9007199254740993 as bigint)', type: 'integer', text: '9007199254740993' },
        {
          sql: 'cast(-170141183460469231731687303715884105727 as hugeint)',
          type: 'integer',
          text: '-170141183460469231731687303715884105727',
        },
        {
          sql: `cast('1234567890123456789.0123456789' as decimal(38, 10))`,
          type: 'decimal',
          text: '1234567890123456789.0123456789',
        },
        { sql: 'cast(0.1 as double)', type: 'float', text: '0.1' },
        { sql: 'true', type: 'boolean', text: 'true' },
        { sql: 'false', type: 'boolean', text: 'false' },
        { sql: 'cast(null as boolean)', type: 'boolean', text: null },
        {
          sql: `timestamp '2026-01-31 09:30:00.123456'`,
          type: 'timestamp',
          text: '2026-01-31T09:30:00.123456',
        },
        {
          sql: `timestamptz '2026-01-31 09:30:00.1+02'`,
          type: 'timestamp',
          text: '2026-01-31T07:30:00.100000Z',
        },
        { sql: `timestamptz 'infinity'`, type: 'timestamp', text: 'infinity' },
        { sql: `timestamp_s '2026-01-31 09:30:00'`, type: 'timestamp', text: '2026-01-31T09:30:00.000000' },
        {
          sql: `timestamp_ns '2026-01-31 09:30:00.123456789'`,
          type: 'timestamp',
          text: '2026-01-31T09:30:00.123456789',
        },
        { sql: `date '2026-01-31'`, type: 'date', text: '2026-01-31' },
        { sql: `'naïve 😀 "quoted" ''single'' \\ '`, type: 'text', text: `naïve 😀 "quoted" 'single' \\ ` },
        { sql: `''`, type: 'text', text: '' },
        { sql: `json('{"a": [1, null]}')`, type: 'json', text: '{"a":[1,null]}' },
        { sql: `cast('b' as enum ('a', 'b'))`, type: 'text', text: 'b' },
        { sql: `[1, 2]`, type: 'other', text: '[1, 2]' },
      ],
      keys: [
        '9007199254740993',
        `cast('12.50' as decimal(10, 2))`,
        `cast('0b9b8f0e-3f0e-4f0e-8f0e-0b9b8f0e3f0e' as uuid)`,
        `date '2026-01-31'`,
        `timestamp '2026-01-31 09:30:00.123456'`,
        `timestamptz '2026-01-31 09:30:00.123456+02'`,
        `'it''s a, "key" {with} \\ 😀'`,
        `''`,
        `cast('b' as enum ('a', 'b'))`,
        'true',
      ],
    },
  };
}

examine(warehouse, makeFixture);

const openToWrite = `
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const connection = await (await DuckDBInstance.create(process.argv[1])).connect();
  console.log('open')`;
const untilTold = `process.stdin.resume().once('end', () => process.exit())`;

/** Another process that holds the file for writing until it is told to stop. */
async function holdForWriting(path: string): Promise<{ pid: number; stop(): Promise<void> }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', `${openToWrite}; ${untilTold}`, path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit').then(() => assert.fail('the writer could not open the file'));
  await Promise.race([once(child.stdout, 'data'), exited]);
  exited.catch(() => {});
  const stop = async () => {
    const ended = once(child, 'exit');
    child.stdin.end();
    await ended;
  };
  return { pid: child.pid as number, stop };
}

describe('DuckDB file', () => {
  const open = (settings: Record<string, unknown>) => warehouse.open(warehouse.schema.parse(settings));

  it('waits until a writer has closed it', async () => {
    const { path } = await makeFile();
    const writer = await holdForWriting(path);
    const checking = (await open({ path })).check(patient);
    await writer.stop();
    await checking;
  });

  it('names the writer that holds it past the deadline', async () => {
    const { path } = await makeFile();
    const writer = await holdForWriting(path);
    await assert.rejects((await open({ path })).check({ timeoutMs: 300 }), {
      code: 'WAREHOUSE_UNREACHABLE',
      message: new RegExp(`held by a writer.*process ${writer.pid}`),
    });
    await writer.stop();
  });

  it('is free for writers as soon as a reader is done, or has left', async () => {
    const { path, execute } = await makeFile();
    await execute('create table numbers as select range as n from range(100000)');
    const reader = await open({ path });
    // Synchronously, so that no garbage collection closes what was left open.
    const write = () => execFileSync(process.execPath, ['--input-type=module', '-e', openToWrite, path]);
    for await (const _ of reader.read({ sql: 'from numbers', params: [] }, patient));
    write();
    for await (const _ of reader.read({ sql: 'from numbers', params: [] }, patient)) break;
    write();
    await reader.describe('from numbers', patient);
    write();
  });

  it('is all that SQL can read, unless external access is allowed', async () => {
    const csv = join(folder, 'orders.csv');
    writeFileSync(csv, 'id,total\n1,2.50\n');
    const sql = `select id, total from read_csv('${csv}')`;
    const { path } = await makeFile();
    await assert.rejects((await open({ path })).describe(sql, patient), {
      code: 'SIGNAL_SQL',
      hint: /external_access/,
    });
    const allowed = await open({ path: ':memory:', external_access: true });
    assert.equal((await allowed.describe(sql, patient)).length, 2);
    const stealing = allowed.describe(`copy (${sql}) to '${join(folder, 'copy.csv')}'`, patient);
    await assert.rejects(stealing, { code: 'SIGNAL_SQL', message: /not a query/ });
  });

  it('spills to files what does not fit into memory', async () => {
    const { path } = await makeFile();
    const small = await open({ path, memory_limit: '64MB', threads: 1 });
    const sql = 'select range as n, md5(range::varchar) as text from range(1500000) order by text';
    let rows = 0;
    for await (const batch of small.read({ sql, params: [] }, patient)) rows += batch.length;
    assert.equal(rows, 1_500_000);
  });

  it('gives up on a result of which rows are missing', async () => {
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    let filled = false;
    const losing = async (sql: string) => {
      await connection.run('delete from readback_result where c0 >= 1000');
      return connection.prepare(sql);
    };
    const cut = new Proxy(connection, {
      get(target, name) {
        if (name === 'prepare' && filled) return losing;
        filled ||= name === 'run';
        const value = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    }) as DuckDBConnection;
    const templates = loadTemplates(import.meta.resolve('../../src/warehouses/duckdb/index.ts'), ['text']);
    const statement = { sql: 'select range as n from range(5000)', params: [] };
    const deadline = new Deadline(patient);
    const reading = async () => {
      for await (const _ of readRows(cut, templates, statement, deadline));
    };
    await assert.rejects(reading(), { code: 'WAREHOUSE_INCOMPLETE', message: /1000 rows arrived of 5000/ });
    deadline.dispose();
  });
});
