import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Api, startApi } from '../../src/api/server.ts';
import { type Scene, scene, silent, tomorrow, until } from './scene.ts';

let low: Scene;
let api: Api;
before(async () => {
  low = await scene(`${tomorrow}\ntrigger: { webhook: true }`);
  const { project, database } = low.house;
  assert.ok(project.api);
  api = await startApi(project.api, { project, ledger: database.pool, log: silent });
});
after(async () => {
  await api.close();
  await low.close();
});

interface Asked {
  path?: string;
  token?: string | undefined;
  body?: string | undefined;
}

async function ask({ path = '/signals/low/poke', token = 'open-sesame', body }: Asked): Promise<Response> {
  return fetch(`${api.url()}${path}`, {
    method: 'POST',
    headers: { ...(token && { authorization: `Bearer ${token}` }), 'content-type': 'application/json' },
    ...(body !== undefined && { body }),
  });
}

test('it listens on this machine alone', () => {
  assert.match(api.url() ?? '', /^http:\/\/127\.0\.0\.1:\d+$/);
});

test('nobody without the token learns anything', async () => {
  for (const token of ['', 'open-sesam', 'open-sesame-', 'x'.repeat(5_000)])
    for (const path of ['/signals/low/poke', '/signals/nobody/poke', '/'])
      assert.equal((await ask({ path, token })).status, 401);
  const large = await ask({ token: 'wrong', body: 'x'.repeat(100_000) }).catch(() => undefined);
  assert.ok(large === undefined || large.status === 401);
});

test('what does not exist, makes no sense or is too large is said so', async () => {
  assert.equal((await ask({ path: '/signals/nobody/poke' })).status, 404);
  assert.equal((await ask({ path: '/signals/low' })).status, 404);
  assert.equal(
    (await fetch(`${api.url()}/signals/low/poke`, { headers: { authorization: 'Bearer open-sesame' } }))
      .status,
    404,
  );
  for (const body of [
    '{',
    '[]',
    '7',
    '{"keys": "S-1"}',
    '{"keys": []}',
    '{"keys": [["a", "b"]]}',
    '{"keys": [[null]]}',
    '{"key": [["a"]]}',
  ])
    assert.equal((await ask({ body })).status, 400, body);
  assert.equal((await ask({ body: JSON.stringify({ keys: [['x'.repeat(70_000)]] }) })).status, 413);
  assert.equal(await waiting(), 0);
});

test('a poke that was taken is in the ledger, and is looked at by whoever comes', async () => {
  assert.equal((await ask({})).status, 202);
  assert.equal(await waiting(), 1);
  await low.start();
  await until('crossed out', async () => (await waiting()) === 0);
});

test('a poke has the signal looked at, or the entities that it names', async () => {
  await low.commit(`update stock set on_hand = 3 where sku in ('S-1', 'S-2')`);
  const answer = await ask({ body: '{"keys": [["S-1"]]}' });
  assert.equal(answer.status, 202);
  assert.deepEqual(await answer.json(), { accepted: 'low' });
  await until('the action', () => low.held().length > 0);
  assert.deepEqual(low.held(), ['S-1']);
  assert.equal((await ask({ body: '' })).status, 202);
  await until('the other', () => low.held().length > 1);
  await until('crossed out', async () => (await waiting()) === 0);
});

test('however many pokes come, the warehouse is asked little', async () => {
  const before = await low.polls('trigger', 'done');
  const answers = await Promise.all(Array.from({ length: 100 }, () => ask({})));
  assert.ok(answers.every(({ status }) => status === 202));
  await until('crossed out', async () => (await waiting()) === 0);
  assert.ok((await low.polls('trigger', 'done')) - before <= 4);
});

test('more pokes than anybody looks at are refused', async () => {
  await low.stop();
  await low.house.database.pool.query(
    "insert into pokes (signal) select 'low' from generate_series(1, 1000)",
  );
  const answer = await ask({});
  assert.equal(answer.status, 429);
  assert.equal(answer.headers.get('retry-after'), '1');
});

async function waiting(): Promise<number> {
  const { rows } = await low.house.database.pool.query('select count(*) from pokes');
  return Number(rows[0].count);
}
