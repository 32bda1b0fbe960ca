import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copyMembers } from '../../src/detect/copy.ts';
import type { Value } from '../../src/warehouses/warehouse.ts';
import { freshDatabase } from '../helpers/postgres.ts';

const { pool } = await freshDatabase();

test('a ledger that goes away in the middle of a copy fails the poll, and nothing else', async () => {
  const client = await pool.connect();
  client.on('error', () => {});
  await client.query(
    'create temp table copied (entity text, bucket int, armed bool, fingerprint text, hash bigint, observed_at timestamptz)',
  );
  const { rows } = await client.query('select pg_backend_pid() as pid');
  async function* batches(): AsyncGenerator<Value[][]> {
    yield [['1', 'true', 'f', '1', null, 'x'.repeat(300_000)]];
    const gone = new Promise((resolve) => client.once('end', resolve));
    await pool.query('select pg_terminate_backend($1)', [rows[0].pid]);
    await gone;
    yield [['1', 'true', 'f', '1', null, 'x'.repeat(300_000)]];
  }
  await assert.rejects(copyMembers(client, 'copy copied from stdin', batches()));
  // An error that nobody hears ends the process, one turn of the loop later.
  await new Promise((resolve) => setImmediate(resolve));
  client.release(true);
});
