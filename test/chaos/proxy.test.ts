import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Asking, running } from './asking.ts';
import { Network } from './proxy/child.ts';
import type { ProxyFault, RouteSettings } from './proxy/config.ts';

const place = await running(3, [{ name: 'plain', kind: 'plain' }]);
const to = place.standins.ports.plain as number;
const proxy = await Network.start(join(place.folder, 'proxy.json'), {
  seed: 3,
  routes: [{ name: 'plain', to }],
});
const asking = new Asking({ standins: proxy });
after(async () => {
  await proxy.stop();
  await place.stop();
});
let entities = 0;

/** What comes of one write, and whether the destination did it. */
async function under(settings: RouteSettings): Promise<{ came: string; written: boolean }> {
  const entity = `e-${++entities}`;
  await proxy.change('plain', settings);
  const came = await Promise.race([
    asking.write('plain', entity).then(
      (response) =>
        response.text().then(
          () => 'answer',
          () => 'half an answer',
        ),
      () => 'broken',
    ),
    new Promise<string>((resolve) => setTimeout(resolve, 500, 'nothing')),
  ]);
  await proxy.change('plain', { faults: null, down: null });
  const truth = await place.truth();
  return { came, written: truth.some((line) => line.event === 'applied' && line.entity === entity) };
}

const always = (fault: ProxyFault) => ({ faults: { share: 1, kinds: [fault] } });

test('without faults everything comes through', async () => {
  assert.deepEqual(await under({}), { came: 'answer', written: true });
});

test('a reset comes after the request was executed', async () => {
  assert.deepEqual(await under(always('reset_after')), { came: 'broken', written: true });
});

test('an answer is truncated after the request was executed', async () => {
  const { came, written } = await under(always('truncate_after'));
  assert.ok(came === 'broken' || came === 'half an answer', came);
  assert.ok(written);
});

test('of a black hole nobody can tell whether the request was executed', async () => {
  const written = new Set<boolean>();
  for (let ask = 0; ask < 12 && written.size < 2; ask++) {
    const { came, written: one } = await under(always('black_hole'));
    assert.equal(came, 'nothing');
    written.add(one);
  }
  assert.equal(written.size, 2);
});

test('latency delays an answer and changes nothing', async () => {
  const started = performance.now();
  const settings = { faults: { share: 1, kinds: ['latency' as const], latencyMs: 300 } };
  for (let ask = 0; ask < 5; ask++)
    assert.deepEqual(await under(settings), { came: 'answer', written: true });
  assert.ok(performance.now() - started > 200);
});

test('a network that is down breaks connections or swallows them', async () => {
  assert.deepEqual(await under({ down: 'reset' }), { came: 'broken', written: false });
  assert.deepEqual(await under({ down: 'hole' }), { came: 'nothing', written: false });
  assert.deepEqual(await under({}), { came: 'answer', written: true });
});

test('a request in many parts is one exchange, and the same seed breaks the same exchanges', async () => {
  const seeds: string[] = [];
  for (const seed of [9, 9, 10]) {
    const config = {
      seed,
      routes: [{ name: 'plain', to, faults: { share: 0.3, kinds: ['reset_after' as const] } }],
    };
    const other = await Network.start(join(place.folder, 'other.json'), config);
    let came = '';
    for (let ask = 0; ask < 60; ask++) {
      const body = JSON.stringify({ reference: 'e-1', note: 'x'.repeat(100_000) });
      const answer = fetch(`${other.urls.plain}/orders`, { method: 'POST', body });
      came += await answer.then(
        (response) => response.text().then(() => '.'),
        () => 'x',
      );
    }
    assert.equal((await other.stats()).plain?.exchanges, 60);
    seeds.push(came);
    await other.stop();
  }
  assert.equal(seeds[0], seeds[1]);
  assert.notEqual(seeds[0], seeds[2]);
  assert.match(seeds[0] ?? '', /x/);
});
