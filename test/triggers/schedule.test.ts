import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Looked } from '../../src/detect/look.ts';
import { runLook } from '../../src/engine/polls.ts';
import { pause } from '../../src/ledger/commands.ts';
import { Openings } from '../../src/openings.ts';
import { Pipeline } from '../../src/pipeline.ts';
import { openPool } from '../../src/store/database.ts';
import { type Scene, scene, silent, until } from './scene.ts';

let low: Scene;
before(async () => {
  low = await scene('every: 1s\ntrigger: { listen: low_stock }');
  await low.start();
});
after(() => low.close());

test('a notification that is lost costs time alone: the schedule catches it', async () => {
  await low.commit(`update stock set on_hand = 3 where sku = 'S-1'`);
  await until('the action', () => low.held().includes('S-1'));
});

test('looks that never end do not keep the schedule from its turn', async () => {
  let stop = false;
  const noise = (async () => {
    for (let at = 0; !stop; at = (at + 1) % 400)
      await low.commit(
        `update stock set on_hand = case when on_hand < 10 then 50 else 3 end where sku = 'S-${at + 50}'`,
        `notify low_stock, 'S-${at + 50}'`,
      );
  })();
  try {
    const before = await low.polls('schedule', 'done');
    await until(
      'three polls of the schedule',
      async () => (await low.polls('schedule', 'done')) >= before + 3,
    );
  } finally {
    stop = true;
    await noise;
  }
});

test('what a trigger brings is sent beside calls of its lane that are still under way', async () => {
  const sandbox = low.house.sandboxes.get('http') ?? assert.fail('no sandbox');
  await low.house.settled('product');
  sandbox.inject({ kind: 'slow', match: 'PUT /api/products/S-4\n', delayMs: 8_000 });
  await low.commit(`update stock set on_hand = 3 where sku = 'S-4'`, `notify low_stock, 'S-4'`);
  await until('the slow call', () => sandbox.requests().some(({ path }) => path.endsWith('/S-4')));
  await low.commit(`update stock set on_hand = 3 where sku = 'S-5'`, `notify low_stock, 'S-5'`);
  await until('the other action', () => low.held().includes('S-5'));
  assert.ok(!low.held().includes('S-4'), 'it has waited for the slow call');
  await low.house.settled('product');
  assert.equal(low.writes('S-4'), 1);
});

/** A look as a process without workers would do it. */
async function lookAt(sku: string): Promise<Looked | undefined> {
  const { house } = low;
  const openings = new Openings(house.project, house.database.pool);
  const pipeline = new Pipeline(house.project, house.database.pool, openings, silent);
  const signal = house.project.signals.get('low') ?? assert.fail('no signal');
  const lookers = openPool(house.database.url, { log: silent, pipeline: true });
  const looking = { entities: [sku], news: '', signal: new AbortController().signal };
  const looked = await runLook(pipeline, lookers, signal, looking);
  await lookers.end();
  await openings.close();
  return looked;
}

test('what a look found is sent by whoever is there next, once, when its process ends before', async () => {
  await low.stop();
  const { house } = low;
  await low.commit(`update stock set on_hand = 3 where sku = 'S-2'`);
  const looked = await lookAt('S-2');
  assert.equal(looked?.state === 'done' && looked.entered, 1);
  assert.ok(!low.held().includes('S-2'));
  await low.start();
  await until('the action', () => low.held().includes('S-2'));
  await house.settled('product');
  assert.equal(low.writes('S-2'), 1);
});

test('a signal that is paused is not looked at', async () => {
  await low.stop();
  await pause(low.house.database.pool, { kind: 'signal', name: 'low' }, 'stocktaking', '');
  await low.commit(`update stock set on_hand = 3 where sku = 'S-3'`);
  assert.deepEqual(await lookAt('S-3'), { state: 'paused' });
  assert.ok(!(await low.present()).includes('S-3'));
});
