import assert from 'node:assert/strict';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { Secret } from '../../src/config/secret.ts';
import type {
  CallOptions,
  Client,
  Outcome,
  Reading,
  Throttled,
  Unavailable,
  WriteItem,
} from '../../src/connectors/connector.ts';
import { actions } from '../../src/connectors/kafka/actions.ts';
import { connector } from '../../src/connectors/kafka/index.ts';
import { slotOf } from '../../src/connectors/kafka/partition.ts';
import { type KafkaSandbox, startSandbox } from '../../src/connectors/kafka/sandbox.ts';
import { examine } from '../contract.ts';

const candidate = {
  type: 'records',
  writes: 'Produce ',
  // The record's place, then what its topic got since: for its own partition and for the others.
  absence: 7,
  fields: (n: number) => ({
    event_type: `com.acme.customer.risk_${n}`,
    event_source: '/warehouse/churn',
    event_subject: `customer-${n}`,
    event_time: '2027-01-31T12:00:00Z',
    message_key: `Müller & Söhne ${n}`,
    data_company: `Müller & Söhne ${n}`,
    data_note: ' two\nlines ',
  }),
};

examine(connector, { publish: { ...candidate, options: { topic: 'customers', mode: 'structured' } } });
examine(connector, { publish: { ...candidate, options: { topic: 'customers', mode: 'binary' } } });

let sandbox: KafkaSandbox;
let client: Client;
let heeded: (Throttled | Unavailable)[];
const call = (timeoutMs = 2_000): CallOptions => ({ signal: new AbortController().signal, timeoutMs });
const customers = { topic: 'customers' };
const minuteAgo = () => new Date(Date.now() - 60_000);

function open(more: Record<string, string> = {}): Promise<Client> {
  const { password = '', ...rest } = { ...sandbox.settings, ...more };
  const settings = connector.schema.parse({ ...rest, password: new Secret(password) });
  return connector.open(settings, { pass: async () => () => {}, heed: (refusal) => heeded.push(refusal) });
}

function event(key: string, more: Record<string, string> = {}): WriteItem {
  const fields = { event_type: 'com.acme.at_risk', data_company: 'Acme', ...more };
  return { key, requestKey: key, mayRepeat: false, fields, parentId: undefined };
}

async function write(item: WriteItem, options: Record<string, unknown> = customers, by = client) {
  return (await by.write('publish', options, [item], call())).get(item.key) ?? assert.fail('no outcome');
}

async function read(
  item: WriteItem,
  id?: string,
  since = minuteAgo(),
  options = customers,
): Promise<Reading> {
  const locator = { ...actions.publish.locate(item.fields, options), since: since.toISOString() };
  const asked = { key: item.key, id, locator, parentId: undefined, fields: Object.keys(item.fields) };
  return (await client.read('publish', options, [asked], call())).get(item.key) ?? assert.fail('no reading');
}

function idOf(outcome: Outcome | undefined): string {
  assert.ok(outcome?.kind === 'applied', JSON.stringify(outcome));
  return outcome.id;
}

function unreadable(reading: Reading, why: RegExp): void {
  assert.ok(reading.kind === 'unreadable', JSON.stringify(reading));
  assert.match(reading.reason, why);
}

/** The library's own client, as an operator uses another one. */
async function asOperator<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
  const { brokers = '', user: username = '', password = '' } = sandbox.settings;
  const sasl = { mechanism: 'plain' as const, username, password };
  const admin = new Kafka({ brokers: brokers.split(','), sasl, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

describe('kafka', () => {
  beforeEach(async () => {
    heeded = [];
    sandbox = await startSandbox();
    client = await open();
  });
  afterEach(async () => {
    await client.close();
    await sandbox.close();
  });

  test('a structured event is the value; its key is the subject, else the action’s', async () => {
    await write(event('key-1', { event_subject: 'acme' }));
    await write(event('key-2', { event_subject: 'acme', message_key: 'own' }));
    await write(event('key-3'));
    const records = sandbox.records().map(({ fields }) => fields as { key: string; value: { id: string } });
    assert.deepEqual(
      new Map(records.map(({ key, value }) => [value.id, key])),
      new Map([
        ['key-1', 'acme'],
        ['key-2', 'own'],
        ['key-3', 'key-3'],
      ]),
    );
    assert.deepEqual(
      records.find(({ key }) => key === 'acme'),
      {
        key: 'acme',
        headers: { 'content-type': 'application/cloudevents+json' },
        value: {
          specversion: '1.0',
          id: 'key-1',
          type: 'com.acme.at_risk',
          source: '/readback',
          subject: 'acme',
          datacontenttype: 'application/json',
          data: { company: 'Acme' },
        },
      },
    );
  });

  test('of a binary event the data is the value, and each attribute is a header', async () => {
    const item = event('key-1', { event_subject: 'Müller', event_time: '2027-01-31T12:00:00Z' });
    await write(item, { ...customers, mode: 'binary' });
    assert.deepEqual(sandbox.records()[0]?.fields, {
      key: 'Müller',
      headers: {
        'content-type': 'application/json',
        ce_specversion: '1.0',
        ce_id: 'key-1',
        ce_type: 'com.acme.at_risk',
        ce_source: '/readback',
        ce_subject: 'Müller',
        ce_time: '2027-01-31T12:00:00Z',
      },
      value: { company: 'Acme' },
    });
  });

  test('hundreds of events are one request to each leader, and each id is that of its own record', async () => {
    const items = Array.from({ length: 500 }, (_, n) =>
      event(`key-${n}`, { event_subject: `customer-${n}` }),
    );
    const outcomes = await client.write('publish', customers, items, call());
    const asked = sandbox.requests().map(({ method }) => method);
    assert.deepEqual(asked, ['Metadata', 'Produce', 'Produce']);
    const records = new Map(
      sandbox.records().map(({ id, fields }) => [(fields.value as { id: string }).id, id]),
    );
    for (const { key } of items) assert.equal(idOf(outcomes.get(key)), records.get(key));
    const asked2 = items.map(({ key, fields }) => {
      const locator = actions.publish.locate(fields, customers);
      return { key, id: records.get(key), locator, parentId: undefined, fields: [] };
    });
    const readings = await client.read('publish', customers, asked2, call());
    for (const { key } of items) assert.equal(readings.get(key)?.kind, 'found');
    assert.equal(sandbox.requests().length - asked.length, 2);
  });

  test('what one partition refuses, others may have stored: each event gets its own partition’s answer', async () => {
    const items = Array.from({ length: 30 }, (_, n) => event(`key-${n}`, { event_subject: `customer-${n}` }));
    await write(event('first'));
    sandbox.lead('customers', 1, 0);
    const outcomes = await client.write('publish', customers, items, call());
    for (const { key, fields } of items) {
      const outcome = outcomes.get(key);
      if (slotOf(fields.event_subject ?? '') % 3 !== 1) idOf(outcome);
      else assert.ok(outcome?.kind === 'rejected' && !outcome.permanent && /NOT_LEADER/.test(outcome.code));
    }
    assert.equal(new Set([...outcomes.values()].map(({ kind }) => kind)).size, 2);
    // Whoever leads now is asked for, and then gets the rest.
    const again = items.filter(({ key }) => outcomes.get(key)?.kind === 'rejected');
    for (const outcome of (await client.write('publish', customers, again, call())).values()) idOf(outcome);
  });

  test('one event that is too large is refused, for good, and the others of its batch are not', async () => {
    const items = Array.from({ length: 6 }, (_, n) => event(`key-${n}`, { event_subject: 'one' }));
    const large = event('large', { event_subject: 'one', data_text: 'x'.repeat(1_100_000) });
    const outcomes = await client.write(
      'publish',
      customers,
      [...items.slice(0, 3), large, ...items.slice(3)],
      call(),
    );
    const refused = outcomes.get('large');
    assert.ok(refused?.kind === 'rejected' && refused.permanent && refused.code === 'MESSAGE_TOO_LARGE');
    for (const { key } of items) idOf(outcomes.get(key));
    assert.equal(sandbox.records().length, 6);
  });

  test('more than a partition takes at once goes in several requests, in order', async () => {
    const text = 'x'.repeat(100_000);
    const items = Array.from({ length: 20 }, (_, n) =>
      event(`key-${n}`, { event_subject: 'one', data_text: text }),
    );
    const outcomes = await client.write('publish', customers, items, call());
    const offsets = items.map(({ key }) => Number(idOf(outcomes.get(key)).split(':')[2]));
    assert.deepEqual(offsets, [...items.keys()]);
    // Five of 100 kB each are half a megabyte.
    assert.equal(sandbox.requests().filter(({ method }) => method === 'Produce').length, 4);
  });

  test('each way to sign in works, and a wrong password is said to be, not told', async () => {
    for (const sasl of ['plain', 'scram-sha-256', 'scram-sha-512']) {
      const known = await open({ sasl });
      idOf(await write(event(`key-${sasl}`), customers, known));
      const unknown = await open({ sasl, password: 'not-to-be-told' });
      const outcome = await write(event('key-1'), customers, unknown);
      assert.ok(outcome.kind === 'unavailable' && outcome.code === 'unauthorized', JSON.stringify(outcome));
      assert.doesNotMatch(JSON.stringify(outcome), /not-to-be-told/);
      await known.close();
      await unknown.close();
    }
  });

  test('a topic that does not exist is refused for as long as it is so, and not made', async () => {
    const outcome = await write(event('key-1'), { topic: 'orders' });
    assert.ok(outcome.kind === 'rejected' && !outcome.permanent);
    assert.match(outcome.reason, /no topic orders: make it/);
    const [finding] = await client.check([{ action: 'publish', options: { topic: 'orders' } }], call());
    assert.match(finding?.hint ?? '', /--create --topic orders/);
    assert.ok(!(await asOperator((admin) => admin.listTopics())).includes('orders'));
    assert.deepEqual(await client.check([], call()), []);
  });

  test('an event whose answer was lost is found among those that came before and after it', async () => {
    for (let n = 0; n < 40; n += 1) await write(event(`before-${n}`));
    sandbox.inject({ kind: 'cut_after_write', match: 'Produce ' });
    assert.equal((await write(event('key-1'))).kind, 'ambiguous');
    for (let n = 0; n < 30; n += 1) await write(event(`after-${n}`));
    const written = sandbox.records().find(({ fields }) => (fields.value as { id: string }).id === 'key-1');
    const reading = await read(event('key-1'));
    assert.ok(reading.kind === 'found' && reading.id === written?.id, JSON.stringify(reading));
    assert.deepEqual(await read(event('never')), { kind: 'absent' });
  });

  test('an event of before the topic got more partitions is found where it is', async () => {
    sandbox.inject({ kind: 'cut_after_write', match: 'Produce ' });
    await write(event('key-1'));
    // As a key's hash leads elsewhere when there are more partitions.
    for (const slot of [0, 1, 2]) {
      const locator = { ...customers, since: minuteAgo().toISOString(), slot: String(slot) };
      const asked = { key: 'key-1', id: undefined, locator, parentId: undefined, fields: [] };
      const readings = await client.read('publish', customers, [asked], call());
      assert.equal(readings.get('key-1')?.kind, 'found');
    }
  });

  test('an event that compaction removed is not taken for one that never came', async () => {
    const accounts = { topic: 'accounts' };
    const [old, other, young] = ['old', 'other', 'young'].map((key) =>
      event(key, { message_key: key === 'other' ? 'b' : 'a' }),
    ) as [WriteItem, WriteItem, WriteItem];
    const id = idOf(await write(old, accounts));
    await write(other, accounts);
    const kept = idOf(await write(young, accounts));
    unreadable(await read(old, id, minuteAgo(), accounts), /retention or compaction/);
    unreadable(await read(old, undefined, minuteAgo(), accounts), /is compacted/);
    assert.equal((await read(young, kept, minuteAgo(), accounts)).kind, 'found');
    assert.equal((await read(young, undefined, minuteAgo(), accounts)).kind, 'found');
  });

  test('an event that was deleted since is not taken for one that never came', async () => {
    const item = event('key-1');
    const id = idOf(await write(item));
    await write(event('key-2', { message_key: 'key-1' }));
    const partition = Number(id.split(':')[1]);
    await asOperator(async (admin) => {
      await admin.fetchTopicOffsets('customers');
      await admin.deleteTopicRecords({ topic: 'customers', partitions: [{ partition, offset: '1' }] });
    });
    unreadable(await read(item, id), /has removed the record since/);
    unreadable(await read(item), /has removed records since/);
  });

  test('an offset keeps all its digits', async () => {
    const ledger = { topic: 'ledger' };
    const items = [event('key-1'), event('key-2')];
    const outcomes = await client.write('publish', ledger, items, call());
    assert.deepEqual([...outcomes.values()].map(idOf), [
      'ledger:0:9007199254740993',
      'ledger:0:9007199254740994',
    ]);
    for (const item of items) {
      const id = idOf(outcomes.get(item.key));
      const reading = await read(item, id, minuteAgo(), ledger);
      assert.ok(reading.kind === 'found' && reading.id === id);
    }
    assert.equal(
      (await read(event('key-2'), 'ledger:0:9007199254740993', minuteAgo(), ledger)).kind,
      'found',
    );
  });

  test('a pause that the brokers ask for beside an answer is kept, and the answer counts', async () => {
    const limited = await startSandbox({ rateLimit: { requests: 1, perMs: 60_000 } });
    const { password = '', ...rest } = limited.settings;
    const settings = connector.schema.parse({ ...rest, password: new Secret(password) });
    const throttledClient = await connector.open(settings, {
      pass: async () => () => {},
      heed: (refusal) => heeded.push(refusal),
    });
    idOf(await write(event('key-1'), customers, throttledClient));
    idOf(await write(event('key-2'), customers, throttledClient));
    assert.equal(heeded.length, 2);
    for (const one of heeded)
      assert.ok(one.kind === 'throttled' && (one.retryAfterMs ?? 0) > 50_000, JSON.stringify(one));
    await throttledClient.close();
    await limited.close();
  });

  test('after a lost connection the next request makes a new one', async () => {
    sandbox.inject({ kind: 'cut_before_write', match: 'Produce ' });
    assert.equal((await write(event('key-1'))).kind, 'ambiguous');
    idOf(await write(event('key-1')));
  });

  test('of several brokers that are named, one that answers is enough', async () => {
    const gone = await startSandbox();
    await gone.close();
    const patient = await open({ brokers: `${gone.settings.brokers}, ${sandbox.settings.brokers}` });
    idOf(await write(event('key-1'), customers, patient));
    await patient.close();
  });

  test('a broker without TLS gets no credentials, unless that is allowed', async () => {
    const strict = await open({ tls: 'required' });
    assert.equal(
      (await strict.write('publish', customers, [event('key-1')], call(300))).get('key-1')?.kind,
      'unavailable',
    );
    assert.deepEqual(sandbox.requests(), []);
    await strict.close();
  });

  test('what is no broker is unavailable, at once, and gets no credentials', async () => {
    for (const said of [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), Buffer.alloc(64, 0xff)]) {
      const heard: Buffer[] = [];
      const other = createServer((socket) => {
        socket.on('error', () => {});
        socket.on('data', (chunk) => {
          heard.push(chunk);
          socket.write(said);
        });
      });
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      const lost = await open({
        brokers: `127.0.0.1:${(other.address() as AddressInfo).port}`,
        sasl: 'plain',
      });
      const started = performance.now();
      const outcome = await write(event('key-1'), customers, lost);
      assert.ok(outcome.kind === 'unavailable' && outcome.code === 'protocol', JSON.stringify(outcome));
      assert.ok(performance.now() - started < 1_000);
      assert.ok(!Buffer.concat(heard).includes(sandbox.settings.password ?? ''));
      await lost.close();
      await new Promise((resolve) => other.close(resolve));
    }
  });

  test('an open connection that has nothing to do does nothing', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((one) => one === 'Timeout').length;
    const before = timers();
    await write(event('key-1'));
    // The library would look every millisecond, for ever, whether a request waits.
    for (let turns = 0; turns < 20; turns += 1) await new Promise(setImmediate);
    assert.equal(timers(), before);
  });

  test('settings that would leak or cannot work are refused, and topics that are none', () => {
    const brokers = 'kafka:9092';
    const refused = (settings: Record<string, unknown>) =>
      connector.schema.safeParse(settings).success === false;
    assert.ok(refused({ brokers: 'user:pw@kafka:9092' }));
    assert.ok(refused({ brokers: 'kafka' }));
    assert.ok(refused({ brokers, sasl: 'plain', user: 'a' }));
    assert.ok(refused({ brokers, tls_certificate: 'pem' }));
    assert.ok(refused({ brokers, tls: 'none', tls_ca: 'pem' }));
    for (const topic of ['a b', '.', '..', 'a/b', '', 'x'.repeat(250)])
      assert.equal(actions.publish.options.safeParse({ topic }).success, false, topic);
  });
});
