import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { warehouse } from '../../src/warehouses/duckdb/index.ts';
import type { SignalQuery, Value } from '../../src/warehouses/warehouse.ts';
import { patient } from './fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'readback-parquet-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const files = `read_parquet('${join(folder, 'orders-*.parquet')}')`;
const opened = await warehouse.open(warehouse.schema.parse({ path: ':memory:', external_access: true }));

before(async () => {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  for (const month of [1, 2])
    await connection.run(`copy (
      select
        9007199254740992 + n as id, (n / 10)::decimal(38, 10) as total, n % 2 = 0 as paid, date '2026-0${month}-28' as day,
        timestamp '2026-0${month}-28 09:30:00.123456' as placed_at,
        timestamptz '2026-0${month}-28 09:30:00.123456+02' as loaded_at, case when n > 1 then 'né "' || n end as note
      from range(${month * 10}, ${month * 10 + 3}) as r (n)
    ) to '${join(folder, `orders-${month}.parquet`)}' (format parquet)`);
  connection.closeSync();
  instance.closeSync();
});

async function read(statement: { sql: string; params: unknown[] }): Promise<Value[][]> {
  const rows: Value[][] = [];
  for await (const batch of opened.read(statement, patient)) rows.push(...batch);
  return rows;
}

test('Parquet files are read with their exact types, all that a pattern names', async () => {
  const columns = await opened.describe(`select * from ${files}`, patient);
  assert.deepEqual(
    columns.map(({ name, type, nativeType }) => `${name} ${type} ${nativeType}`),
    [
      'id integer BIGINT',
      'total decimal DECIMAL(38,10)',
      'paid boolean BOOLEAN',
      'day date DATE',
      'placed_at timestamp TIMESTAMP',
      'loaded_at timestamp TIMESTAMP WITH TIME ZONE',
      'note text VARCHAR',
    ],
  );
  const rows = await read({ sql: `select * from ${files} order by id`, params: [] });
  assert.equal(rows.length, 6);
  assert.deepEqual(rows[1], [
    '9007199254741003',
    '1.1000000000',
    'false',
    '2026-01-28',
    '2026-01-28T09:30:00.123456',
    '2026-01-28T07:30:00.123456Z',
    'né "11',
  ]);
});

test('a signal reads Parquet files: its members, their digests, and single ones by key', async () => {
  const sql = `select * from ${files}`;
  const query: SignalQuery = {
    sql,
    key: ['id'],
    when: 'paid',
    rearm: undefined,
    track: ['total', 'note'],
    observedAt: 'loaded_at',
  };
  const members = await read(opened.members(query, 16));
  assert.equal(members.length, 4);
  const digests = await read(opened.digest(query, 16));
  const sum = (rows: Value[][], at: number) => rows.reduce((all, row) => all + BigInt(row[at] ?? 0), 0n);
  assert.equal(sum(digests, 1), 4n);
  assert.equal(sum(digests, 2), sum(members, 3));
  const key = (await opened.describe(sql, patient)).slice(0, 1);
  const [found] = await read(opened.lookup(sql, key, [['9007199254741012'], ['9007199254741999']]));
  assert.deepEqual(found?.slice(0, 2), ['9007199254741012', '2.0000000000']);
});
