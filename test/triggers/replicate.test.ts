import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { visibleIn } from '../../src/warehouses/postgres/visible.ts';
import { type Scene, scene, tomorrow, until } from './scene.ts';

let low: Scene;
before(async () => {
  low = await scene(`${tomorrow}\ntrigger: { replicate: { publication: readback } }`);
  await low.start();
});
after(() => low.close());

async function slots(): Promise<number> {
  const { rows } = await low.warehouse.pool.query(
    'select count(*) from pg_replication_slots where database = current_database()',
  );
  return Number(rows[0].count);
}

test('rows that are committed become actions, each transaction’s at once', async () => {
  await low.commit(
    `update stock set on_hand = 2 where sku = 'S-1'`,
    `insert into stock values ('N-1', 1), ('N-2', 80)`,
  );
  await until('both', () => low.held().length === 2);
  assert.deepEqual(low.held(), ['N-1', 'S-1']);
});

test('a row that leaves the set, and one that is deleted, leave it at the next look', async () => {
  await low.commit(`update stock set on_hand = 70 where sku = 'S-1'`, `delete from stock where sku = 'N-1'`);
  await until('nobody is left', async () => (await low.present()).length === 0);
});

test('rows of a table without the key have the whole signal looked at', async () => {
  await low.warehouse.pool.query('alter publication readback drop table stock');
  await low.warehouse.pool.query('create table recounts (at timestamptz)');
  await low.warehouse.pool.query('alter publication readback add table recounts');
  await low.commit(`update stock set on_hand = 2 where sku = 'S-5'`);
  await low.commit('insert into recounts values (now())');
  await until('the action', () => low.held().includes('S-5'));
  await low.warehouse.pool.query('alter publication readback add table stock');
});

test('a stream that was cut begins again, and what was missed is looked for', async () => {
  await low.warehouse.pool.query(
    `select pg_terminate_backend(active_pid) from pg_replication_slots where database = current_database()`,
  );
  await low.commit(`update stock set on_hand = 2 where sku = 'S-6'`);
  await until('the action', () => low.held().includes('S-6'));
  await until('the stream', async () => (await slots()) === 1);
});

test('when the process ends, no slot stays behind', async () => {
  await low.stop();
  await until('no slot', async () => (await slots()) === 0);
});

test('a transaction is visible when the snapshot is past it, also where numbers begin anew', () => {
  const seen = visibleIn('100:110:103,105');
  assert.deepEqual([99, 102, 103, 104, 105, 109, 110, 111].map(seen), [
    true,
    true,
    false,
    true,
    false,
    true,
    false,
    false,
  ]);
  const turned = visibleIn(`${2n ** 32n - 2n}:${2n ** 32n + 3n}:${2n ** 32n - 1n}`);
  assert.deepEqual([2 ** 32 - 3, 2 ** 32 - 1, 0, 2, 3].map(turned), [true, false, true, true, false]);
});
