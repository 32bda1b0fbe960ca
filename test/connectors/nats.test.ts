import assert from 'node:assert/strict';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { Secret } from '../../src/config/secret.ts';
import type {
  CallOptions,
  Client,
  Outcome,
  Reading,
  Sandbox,
  WriteItem,
} from '../../src/connectors/connector.ts';
import { actions } from '../../src/connectors/nats/actions.ts';
import { connector } from '../../src/connectors/nats/index.ts';
import { examine } from '../contract.ts';

examine(connector, {
  publish: {
    type: 'messages',
    writes: 'customers.at_risk\nNATS',
    reads: '$JS.API.',
    // The message by its place, the newest of the subject, and the state of the stream.
    absence: 3,
    saysWhen: false,
    options: { subject: 'customers.at_risk' },
    fields: (n) => ({
      event_type: `com.acme.customer.risk_${n}`,
      event_source: '/warehouse/churn',
      event_subject: `customer-${n}`,
      event_time: '2027-01-31T12:00:00Z',
      data_company: `Müller & Söhne ${n}`,
      data_note: ' two\nlines ',
    }),
  },
});

let sandbox: Sandbox;
let client: Client;
const call = (timeoutMs = 2_000): CallOptions => ({ signal: new AbortController().signal, timeoutMs });
const place = { subject: 'customers.at_risk' };

function open(more: Record<string, string> = {}): Promise<Client> {
  const { token = '', ...rest } = { ...sandbox.settings, ...more };
  const settings = connector.schema.parse({ ...rest, token: new Secret(token) });
  return connector.open(settings, { pass: async () => () => {}, heed: () => {} });
}

function event(key: string): WriteItem {
  const fields = { event_type: 'com.acme.at_risk', data_company: 'Acme' };
  return { key, requestKey: key, mayRepeat: false, fields, parentId: undefined };
}

async function write(key: string, options: Record<string, unknown> = place, by = client): Promise<Outcome> {
  return (await by.write('publish', options, [event(key)], call())).get(key) ?? assert.fail('no outcome');
}

async function read(key: string, id?: string, since?: Date): Promise<Reading> {
  const locator = { ...actions.publish.locate({}, place), ...(since && { since: since.toISOString() }) };
  const item = { key, id, locator, parentId: undefined, fields: ['event_type', 'data_company'] };
  return (await client.read('publish', place, [item], call())).get(key) ?? assert.fail('no reading');
}

function idOf(outcome: Outcome): string {
  assert.ok(outcome.kind === 'applied' || outcome.kind === 'already', JSON.stringify(outcome));
  return outcome.id;
}

/** As an operator or a consumer of a work queue does. */
async function remove(id: string): Promise<void> {
  const { servers = '', token = '' } = sandbox.settings;
  const connection = await connect({ servers, token });
  const manager = await jetstreamManager(connection, { checkAPI: false });
  await manager.streams.deleteMessage('EVENTS', Number(id.split(':')[1]));
  await connection.close();
}

describe('nats', () => {
  beforeEach(async () => {
    sandbox = await connector.sandbox();
    client = await open();
  });
  afterEach(async () => {
    await client.close();
    await sandbox.close();
  });

  test('what is stored is a CloudEvents event whose id is the action’s key', async () => {
    await write('key-1');
    assert.deepEqual(sandbox.records()[0]?.fields, {
      subject: 'customers.at_risk',
      event: {
        specversion: '1.0',
        id: 'key-1',
        type: 'com.acme.at_risk',
        source: '/readback',
        datacontenttype: 'application/json',
        data: { company: 'Acme' },
      },
      contentType: 'application/cloudevents+json',
    });
  });

  test('an event whose acknowledgement was lost is found among those that came before and after it', async () => {
    for (let n = 0; n < 40; n += 1) await write(`before-${n}`);
    sandbox.inject({ kind: 'cut_after_write' });
    assert.equal((await write('key-1')).kind, 'ambiguous');
    for (let n = 0; n < 30; n += 1) await write(`after-${n}`);
    const reading = await read('key-1');
    assert.ok(reading.kind === 'found' && reading.id === 'EVENTS:41', JSON.stringify(reading));
  });

  test('what came before it was sent is not looked through', async () => {
    for (let n = 0; n < 250; n += 1) await write(`before-${n}`);
    const sent = new Date(Date.now() + 1);
    while (Date.now() < sent.getTime()) await new Promise(setImmediate);
    sandbox.inject({ kind: 'cut_after_write' });
    await write('key-1');
    await write('after');
    const before = sandbox.requests().length;
    assert.equal((await read('key-1', undefined, sent)).kind, 'found');
    assert.ok(sandbox.requests().length - before < 25);
    assert.equal((await read('never', undefined, sent)).kind, 'absent');
  });

  test('of a busy subject a bounded number of messages is looked through, and absence is not claimed', async () => {
    for (let n = 0; n < 202; n += 1) await write(`other-${n}`);
    const before = sandbox.requests().length;
    const reading = await read('key-1');
    assert.ok(reading.kind === 'unreadable' && /more than 200 messages/.test(reading.reason));
    assert.ok(sandbox.requests().length - before < 220);
  });

  test('an event that was stored and removed since is not taken for one that never came', async () => {
    const id = idOf(await write('key-1'));
    await write('key-2');
    await remove(id);
    for (const reading of [await read('key-1', id), await read('key-1')])
      assert.ok(reading.kind === 'unreadable' && /has removed messages/.test(reading.reason));
  });

  test('an event that no stream listens to is refused, for as long as it is so, and doctor says it', async () => {
    const outcome = await write('key-1', { subject: 'orders.late' });
    assert.ok(outcome.kind === 'rejected' && outcome.code === 'no_stream' && !outcome.permanent);
    const findings = await client.check([{ action: 'publish', options: { subject: 'orders.late' } }], call());
    assert.match(findings[0]?.problem ?? '', /no stream listens to orders\.late/);
  });

  test('a stream that is not the one named refuses, for good', async () => {
    const outcome = await write('key-1', { ...place, stream: 'ORDERS' });
    assert.ok(outcome.kind === 'rejected' && outcome.permanent);
    assert.match(outcome.reason, /expected stream does not match/);
  });

  test('an event larger than the server takes is refused, and never sent', async () => {
    const large = { ...event('key-1'), fields: { event_type: 't', data_text: 'x'.repeat(1_100_000) } };
    const outcome = (await client.write('publish', place, [large], call())).get('key-1');
    assert.ok(outcome?.kind === 'rejected' && outcome.permanent, JSON.stringify(outcome));
    assert.deepEqual(sandbox.requests(), []);
  });

  test('after a lost connection the next request makes a new one', async () => {
    sandbox.inject({ kind: 'cut_before_write' });
    assert.equal((await write('key-1')).kind, 'ambiguous');
    assert.equal((await write('key-1')).kind, 'applied');
  });

  test('a server without TLS gets no credentials, unless that is allowed', async () => {
    const strict = await open({ tls: 'required', token: 'wrong' });
    const outcome = await write('key-1', place, strict);
    assert.ok(outcome.kind === 'unavailable' && /does not support 'tls'/.test(outcome.reason));
    assert.deepEqual(sandbox.requests(), []);
  });

  test('a seed and credentials that are none are said to be, and not quoted', async () => {
    const { servers = '' } = sandbox.settings;
    for (const name of ['nkey_seed', 'credentials']) {
      const settings = { servers, tls: 'if_offered', [name]: new Secret('not-to-be-told') };
      const gate = { pass: async () => () => {}, heed: () => {} };
      const unable = await connector.open(connector.schema.parse(settings), gate);
      const outcome = await write('key-1', place, unable);
      assert.ok(outcome.kind === 'unavailable' && outcome.code === 'credentials', JSON.stringify(outcome));
      assert.doesNotMatch(JSON.stringify(outcome), /not-to-be-told/);
    }
  });

  test('a server that says nothing is unavailable, and gets nothing later', async () => {
    const heard: Buffer[] = [];
    const sockets: Socket[] = [];
    const silent = createServer((socket) => {
      sockets.push(socket.on('data', (chunk) => heard.push(chunk)));
    });
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const waiting = await open({ servers: `127.0.0.1:${(silent.address() as AddressInfo).port}` });
    const outcomes = await waiting.write('publish', place, [event('key-1')], call(100));
    assert.equal(outcomes.get('key-1')?.kind, 'unavailable');
    await waiting.close();
    // The client leaves the socket open on which it never heard anything.
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => silent.close(resolve));
    assert.deepEqual(heard, []);
  });

  test('only one way to log in may be written, and subjects without wildcards', () => {
    const two = { servers: 'nats:4222', token: new Secret('a'), credentials: new Secret('b') };
    assert.match(String(connector.schema.safeParse(two).error), /only one of token/);
    const inTheOpen = { servers: 'nats://user:pw@nats:4222', token: new Secret('a') };
    assert.equal(connector.schema.safeParse(inTheOpen).success, false);
    for (const subject of ['customers.*', 'customers.>', '$JS.API.INFO', 'a..b', 'a b'])
      assert.equal(actions.publish.options.safeParse({ subject }).success, false, subject);
  });
});
