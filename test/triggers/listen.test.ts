import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Scene, scene, tomorrow, until } from './scene.ts';

let low: Scene;
before(async () => {
  low = await scene(`${tomorrow}\ntrigger: { listen: low_stock }`);
  await low.house.engine({ scheduled: true });
  await until('the baseline', async () => (await polls('baseline')) === 1);
  await until('following', async () => (await polls('done')) >= 1);
});
after(() => low.close());

async function polls(state: string): Promise<number> {
  const { rows } = await low.house.database.pool.query('select count(*) from polls where state = $1', [
    state,
  ]);
  return Number(rows[0].count);
}

async function commit(sql: string): Promise<void> {
  await low.warehouse.pool.query(sql);
}

test('a notification that names an entity brings its action, and nobody else’s', async () => {
  await commit(
    `begin; update stock set on_hand = 3 where sku in ('S-1', 'S-2'); notify low_stock, 'S-1'; commit`,
  );
  await until('the action', () => low.held().length > 0);
  assert.deepEqual(low.held(), ['S-1']);
  await commit('notify low_stock');
  await until('the other', () => low.held().length > 1);
  assert.deepEqual(low.held(), ['S-1', 'S-2']);
  await low.house.settled('product');
});
