import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import type { Gate, NotSent } from '../../src/connectors/connector.ts';
import { Rest } from '../../src/connectors/rest.ts';

/** Somebody in front of a vendor who says when to come again, and not whether the vendor has written. */
let server: Server;
let rest: Rest;
const heeded: NotSent['outcome'][] = [];
const gate: Gate = { pass: async () => () => {}, heed: (refusal) => void heeded.push(refusal) };
const call = () => ({ signal: new AbortController().signal, timeoutMs: 2_000 });

before(async () => {
  server = createServer((request, response) => {
    const status = Number(request.url?.slice(1));
    response.writeHead(status, { 'retry-after': '7', location: '/200' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  rest = new Rest({
    vendor: 'Acme',
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    secrets: [],
    gate,
    problemOf: ({ status }) => ({ kind: 'throttled', retryAfterMs: 7_000, reason: String(status) }),
  });
});
after(() => {
  server.closeAllConnections();
  server.close();
});

async function problem(way: 'ask' | 'write', status: number) {
  heeded.length = 0;
  const answer = await rest[way]('POST', `/${status}`, call(), {});
  return answer.ok ? 'none' : answer.problem.kind;
}

test('a 503 that says when to come again puts off what only asks', async () => {
  assert.equal(await problem('ask', 503), 'throttled');
  assert.equal(heeded.length, 1);
});

test('it leaves in doubt what writes, and the connection rests all the same', async () => {
  assert.equal(await problem('write', 503), 'ambiguous');
  assert.deepEqual(heeded, [{ kind: 'throttled', retryAfterMs: 7_000, reason: '503' }]);
});

test('a 429 puts off both: nothing was taken in', async () => {
  assert.equal(await problem('ask', 429), 'throttled');
  assert.equal(await problem('write', 429), 'throttled');
});

test('a redirect is not followed, and says nothing of what was written', async () => {
  assert.equal(await problem('write', 302), 'ambiguous');
});
