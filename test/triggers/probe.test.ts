import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Scene, scene, tomorrow, until } from './scene.ts';

let low: Scene;
before(async () => {
  low = await scene(`${tomorrow}\ntrigger: { probe: "select max(at) from recounts", every: 100ms }`);
  await low.warehouse.pool.query('create table recounts (at integer)');
  await low.start();
});
after(() => low.close());

test('a probe whose answer is the same polls nobody; another answer polls the signal', async () => {
  await low.commit(`update stock set on_hand = 3 where sku = 'S-1'`);
  const before = await low.polls('trigger', 'done');
  const reads = await scans();
  await until('some probes', async () => (await scans()) > reads + 5);
  assert.equal(await low.polls('trigger', 'done'), before);
  assert.deepEqual(low.held(), []);
  await low.commit('insert into recounts values (1)');
  await until('the action', () => low.held().length === 1);
  assert.deepEqual(low.held(), ['S-1']);
});

async function scans(): Promise<number> {
  const { rows } = await low.warehouse.pool.query(
    `select seq_scan from pg_stat_user_tables where relname = 'recounts'`,
  );
  return Number(rows[0].seq_scan);
}
