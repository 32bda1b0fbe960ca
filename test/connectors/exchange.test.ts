import assert from 'node:assert/strict';
import { type Agent, createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { Secret } from '../../src/config/secret.ts';
import { agentFor } from '../../src/connectors/agents.ts';
import { GivenUp, withDeadline } from '../../src/connectors/calls.ts';
import { exchange, TooLarge } from '../../src/connectors/exchange.ts';
import { HubSpot } from '../../src/connectors/hubspot/client.ts';

const timeoutMs = 50;
const call = { signal: new AbortController().signal, timeoutMs };
const requests: string[] = [];
let server: Server;
let port: number;
/** Without connections when a test begins. */
let agent: Agent;

before(async () => {
  server = createServer((request, response) => {
    requests.push(request.url ?? '');
    if (request.url === '/endless') response.write(Buffer.alloc(5 * 1024 * 1024));
    if (request.url === '/moved') response.writeHead(302, { location: '/elsewhere' });
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
beforeEach(() => {
  agent = agentFor('http:');
  requests.length = 0;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

const send = (path: string, signal = call.signal) =>
  exchange(new URL(`http://127.0.0.1:${port}`), path, {
    method: 'POST',
    headers: {},
    body: '{}',
    signal,
    agent,
  });

/** As when the process is suspended. */
function halt(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Time passes while the process is told of another connection, and the one that `begin` makes comes next. */
async function suspendedConnecting(begin: () => Promise<unknown>): Promise<void> {
  const first = connect(port, '127.0.0.1', () => halt(2 * timeoutMs));
  await begin();
  first.destroy();
  // Whatever was sent before this has arrived before it.
  await send('/last');
}

describe('a request over HTTP', () => {
  it('is not sent by a process that was suspended while its connection was made', async () => {
    await suspendedConnecting(() => assert.rejects(withDeadline(call, (signal) => send('/late', signal))));
    assert.deepEqual(requests, ['/last']);
  });
  it('is not sent then by an SDK that cannot be given an agent', async () => {
    const settings = { access_token: new Secret('token'), base_url: `http://127.0.0.1:${port}` };
    const open = { pass: async () => () => {}, heed: () => {} };
    const client = await HubSpot.open(settings as Parameters<typeof HubSpot.open>[0], open);
    await suspendedConnecting(async () => {
      const answer = await client.batchUpsert('contacts', [{ id: 'late' }], call);
      assert.equal(answer.kind, 'lost');
    });
    assert.deepEqual(requests, ['/last']);
  });
  it('is not sent on an open connection when it is too late', async () => {
    await send('/first');
    const late = withDeadline(call, (signal) => {
      halt(2 * timeoutMs);
      return send('/late', signal);
    });
    await assert.rejects(late, GivenUp);
    await send('/last');
    assert.deepEqual(requests, ['/first', '/last']);
  });
  it('takes no answer of more than 4 MB, and follows nobody', async () => {
    await assert.rejects(send('/endless'), TooLarge);
    assert.equal((await send('/moved')).status, 302);
    assert.deepEqual(requests, ['/endless', '/moved']);
  });
});
