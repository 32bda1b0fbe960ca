import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Secret } from '../../src/config/secret.ts';
import type { CallOptions, Client, Sandbox, WriteItem } from '../../src/connectors/connector.ts';
import { connector } from '../../src/connectors/pubsub/index.ts';
import { examine } from '../contract.ts';

examine(connector, {
  publish: {
    type: 'messages',
    writes: ':publish',
    options: { topic: 'customers' },
    fields: (n) => ({
      event_type: 'com.acme.customer.at_risk',
      event_subject: `customer-${n}`,
      data_company: `Müller & Söhne ${n}`,
      ordering_key: 'germany',
    }),
  },
});

let sandbox: Sandbox;
let client: Client;
const call = (): CallOptions => ({ signal: new AbortController().signal, timeoutMs: 2_000 });
const topic = { topic: 'customers' };

function open(more: Record<string, string> = {}): Promise<Client> {
  const { credentials = '', ...rest } = { ...sandbox.settings, ...more };
  const settings = connector.schema.parse({ ...rest, credentials: new Secret(credentials) });
  return connector.open(settings, { pass: async () => () => {}, heed: () => {} });
}

function event(key: string, more: Record<string, string> = {}): WriteItem {
  const fields = { event_type: 'com.acme.at_risk', data_company: key, ...more };
  return { key, requestKey: key, mayRepeat: false, fields, parentId: undefined };
}

describe('pubsub', () => {
  beforeEach(async () => {
    sandbox = await connector.sandbox({ rateLimit: null });
    client = await open();
  });
  afterEach(() => sandbox.close());

  test('each id goes to the message that got it, and the action’s key goes with the message', async () => {
    const items = Array.from({ length: 300 }, (_, n) => event(`key-${n}`));
    const outcomes = await client.write('publish', topic, items, call());
    assert.equal(sandbox.requests().length, 1);
    for (const { id, fields } of sandbox.records()) {
      const { attributes, event } = fields as {
        attributes: Record<string, string>;
        event: Record<string, unknown>;
      };
      const key = attributes['readback-key'] ?? '';
      assert.deepEqual(outcomes.get(key), { kind: 'applied', id });
      assert.equal(event.id, key);
      assert.deepEqual(event.data, { company: key });
    }
    assert.equal(sandbox.records().length, 300);
  });

  test('messages of different ordering keys go in requests of their own', async () => {
    const items = ['a', 'b', 'a'].map((ordering_key, n) => event(`key-${n}`, { ordering_key }));
    const outcomes = await client.write('publish', topic, items, call());
    assert.deepEqual(
      [...outcomes.values()].map(({ kind }) => kind),
      ['applied', 'applied', 'applied'],
    );
    assert.equal(sandbox.requests().length, 2);
  });

  test('a topic that does not exist is refused once for all, and doctor names it', async () => {
    const gone = { topic: 'nobody' };
    const outcomes = await client.write('publish', gone, [event('key-1'), event('key-2')], call());
    for (const outcome of outcomes.values()) assert.ok(outcome.kind === 'rejected' && outcome.permanent);
    assert.equal(sandbox.requests().length, 1);
    const findings = await client.check([{ action: 'publish', options: gone }], call());
    assert.match(findings[0]?.problem ?? '', /no topic nobody/);
  });

  test('an answer with fewer ids than messages is believed for none of them', async () => {
    const short = createServer((_request, response) => response.end('{"messageIds": ["1"]}'));
    await new Promise<void>((resolve) => short.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(short.address() as AddressInfo).port}`;
    const outcomes = await (await open({ endpoint })).write(
      'publish',
      topic,
      [event('key-1'), event('key-2')],
      call(),
    );
    assert.deepEqual(
      [...outcomes.values()].map(({ kind }) => kind),
      ['ambiguous', 'ambiguous'],
    );
    short.closeAllConnections();
    await new Promise((resolve) => short.close(resolve));
  });

  test('told to stop while it gets its credentials, it sends nothing and blames nobody', async () => {
    const signal = AbortSignal.abort();
    const outcomes = await client.write('publish', topic, [event('key-1')], { signal, timeoutMs: 2_000 });
    assert.equal(outcomes.get('key-1')?.kind, 'throttled');
    assert.deepEqual(sandbox.requests(), []);
  });

  test('a key that is none is no fault of the message, and is not quoted', async () => {
    const broken = await open({ credentials: '{"private_key": "not-to-be-told"' });
    const outcome = (await broken.write('publish', topic, [event('key-1')], call())).get('key-1');
    assert.ok(outcome?.kind === 'unavailable' && outcome.code === 'credentials');
    assert.doesNotMatch(JSON.stringify(outcome), /not-to-be-told/);
    assert.deepEqual(sandbox.requests(), []);
  });
});
