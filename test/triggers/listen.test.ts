import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { keysIn } from '../../src/warehouses/postgres/listen.ts';
import { type Scene, scene, tomorrow, until } from './scene.ts';

let low: Scene;
before(async () => {
  low = await scene(`${tomorrow}\ntrigger: { listen: low_stock }`, 2);
  await low.start();
});
after(() => low.close());

test('a notification that names an entity brings its action, and nobody else’s', async () => {
  await low.commit(`update stock set on_hand = 3 where sku in ('S-1', 'S-2')`, `notify low_stock, 'S-1'`);
  await until('the action', () => low.held().length > 0);
  assert.deepEqual(low.held(), ['S-1']);
  await low.commit('notify low_stock');
  await until('the other', () => low.held().length > 1);
  assert.deepEqual(low.held(), ['S-1', 'S-2']);
  await low.house.settled('product');
});

test('a burst of notifications becomes few looks, and every entity’s action', async () => {
  const before = await low.looks();
  const burst = Array.from({ length: 300 }, (_, at) => `S-${at + 101}`);
  await low.commit(
    `with low as (update stock set on_hand = 1 where sku = any('{${burst.join(',')}}') returning sku)
     select pg_notify('low_stock', sku) from low`,
  );
  await until('all of them', () => low.held().length === 302);
  await low.house.settled('product');
  assert.ok((await low.looks()) - before < 30, 'not one look for each');
});

test('a connection that was cut is made again, and what was missed is looked for', async () => {
  await low.warehouse.pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query ~* '^listen'`,
  );
  await low.commit(`update stock set on_hand = 3 where sku = 'S-9'`, `notify low_stock, 'S-9'`);
  await until('the action', () => low.held().includes('S-9'));
});

test('a payload is an entity as it is written everywhere, or keys as the API takes them', () => {
  assert.deepEqual(keysIn('C-1042', 1), [['C-1042']]);
  assert.deepEqual(keysIn('["a",7]', 2), [['a', '7']]);
  assert.deepEqual(keysIn('{"keys": [["a"], ["b"]]}', 1), [['a'], ['b']]);
  for (const [payload, columns] of [
    ['', 1],
    ['', 2],
    ['a', 2],
    ['["a"]', 2],
    ['{"keys": []}', 1],
  ] as const)
    assert.equal(keysIn(payload, columns), undefined, payload);
});
