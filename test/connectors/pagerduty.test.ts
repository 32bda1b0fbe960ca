import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Secret } from '../../src/config/secret.ts';
import type {
  CallOptions,
  Client,
  Outcome,
  Reading,
  Sandbox,
  WriteItem,
} from '../../src/connectors/connector.ts';
import { actionsOf } from '../../src/connectors/index.ts';
import { connector } from '../../src/connectors/pagerduty/index.ts';
import { examine } from '../contract.ts';

examine(connector, {
  trigger_incident: {
    type: 'alerts',
    writes: '/v2/enqueue',
    reads: '/alerts?',
    fields: (n) => ({
      summary: ` A-${n} runs out. `,
      source: 'berlin',
      severity: 'warning',
      component: 'shelf 4',
      group: 'warehouses',
      class: 'low stock',
      link: `https://erp.acme.example/skus/A-${n}`,
      detail_sku: `A-${n}`,
    }),
  },
  update_incident: {
    type: 'alerts',
    writes: '/v2/enqueue',
    reads: '/alerts?',
    fields: (n) => ({ status: n === 1 ? 'Acknowledged' : 'resolved' }),
    // The event that resolves holds no other key than that of the alert.
    parent: async (client, call, n) => {
      const key = `exam-key-update_incident-${n}-x`;
      const fields = { summary: 'x', source: 'x', severity: 'info' };
      await client.write(
        'trigger_incident',
        {},
        [{ key, requestKey: key, mayRepeat: false, fields, parentId: undefined }],
        call,
      );
      return key;
    },
  },
});

let sandbox: Sandbox;
let client: Client;
const call = (): CallOptions => ({ signal: new AbortController().signal, timeoutMs: 2_000 });

async function open(settings: Record<string, string>): Promise<Client> {
  const { routing_key = '', api_token, ...rest } = settings;
  const checked = connector.schema.parse({
    ...rest,
    routing_key: new Secret(routing_key),
    ...(api_token === undefined ? {} : { api_token: new Secret(api_token) }),
  });
  return connector.open(checked, { pass: async () => () => {}, heed: () => {} });
}

function trigger(key: string, more: Partial<WriteItem> = {}): WriteItem {
  const fields = { summary: 'A-1 runs out', source: 'berlin', severity: 'warning' };
  return { key, requestKey: key, mayRepeat: false, fields, parentId: undefined, ...more };
}

function status(key: string, status: string, parentId = 'open'): WriteItem {
  return { key, requestKey: key, mayRepeat: false, fields: { status }, parentId };
}

async function write(action: string, item: WriteItem, by = client): Promise<Outcome> {
  return (await by.write(action, {}, [item], call())).get(item.key) ?? assert.fail('no outcome');
}

async function read(action: string, item: WriteItem, by = client): Promise<Reading> {
  const wanted = { ...item, id: undefined, locator: {}, fields: Object.keys(item.fields) };
  return (await by.read(action, {}, [wanted], call())).get(item.key) ?? assert.fail('no reading');
}

describe('pagerduty', () => {
  beforeEach(async () => {
    sandbox = await connector.sandbox({ rateLimit: null });
    client = await open(sandbox.settings);
    await write('trigger_incident', trigger('open'));
  });
  afterEach(() => sandbox.close());

  test('an alert that somebody has resolved is not opened again by a repeat', async () => {
    await write('update_incident', status('key-2', 'resolved'));
    const repeat = trigger('open', { mayRepeat: true });
    assert.deepEqual(await write('trigger_incident', repeat), { kind: 'already', id: 'open' });
    assert.equal(sandbox.records().filter(({ type }) => type === 'alerts').length, 1);
  });

  test('an event that comes too late is accepted, dropped, and read back as not done', async () => {
    await write('update_incident', status('key-2', 'resolved'));
    const late = status('key-3', 'acknowledged');
    assert.equal((await write('update_incident', late)).kind, 'applied');
    const reading = await read('update_incident', late);
    assert.ok(reading.kind === 'found' && reading.fields.status === 'resolved');
  });

  test('an acknowledged incident is read back as such', async () => {
    const item = status('key-2', ' Acknowledged');
    await write('update_incident', item);
    const reading = await read('update_incident', item);
    assert.ok(reading.kind === 'found' && reading.fields.status === 'acknowledged');
  });

  test('only acknowledged and resolved are sent', async () => {
    const before = sandbox.requests().length;
    const outcome = await write('update_incident', status('key-2', 'closed'));
    assert.ok(
      outcome.kind === 'rejected' && /status is closed; write acknowledged or resolved/.test(outcome.reason),
    );
    assert.equal(sandbox.requests().length, before);
  });

  test('a severity PagerDuty does not know is a lasting no, in its words', async () => {
    const fields = { summary: 'x', source: 'x', severity: 'urgent' };
    const outcome = await write('trigger_incident', trigger('key-2', { fields }));
    assert.ok(outcome.kind === 'rejected' && outcome.permanent);
    assert.match(outcome.reason, /'payload\.severity' is invalid/);
  });

  test('without a token nothing can be read back, and the actions say so', async () => {
    const { api_token: _, ...settings } = sandbox.settings;
    const blind = await open(settings);
    const item = trigger('key-2', { mayRepeat: true });
    assert.deepEqual(await write('trigger_incident', item, blind), { kind: 'applied', id: 'key-2' });
    const reading = await read('trigger_incident', item, blind);
    assert.ok(reading.kind === 'unreadable');
    const actions = Object.values(actionsOf(connector, settings) ?? {});
    assert.deepEqual([...new Set(actions.map(({ unverifiable }) => unverifiable))], [reading.reason]);
    const seeing = Object.values(actionsOf(connector, sandbox.settings) ?? {});
    assert.ok(seeing.every(({ unverifiable }) => unverifiable === undefined));
  });

  test('doctor tries both keys, and leaves nothing behind', async () => {
    const before = sandbox.records();
    assert.deepEqual(await client.check([], call()), []);
    assert.deepEqual(sandbox.records(), before);
    const wrong = { ...sandbox.settings, routing_key: 'not-the-key', api_token: 'not-the-token' };
    const findings = await (await open(wrong)).check([], call());
    assert.match(findings.map(({ hint }) => hint).join(), /routing_key.*api_token/);
    assert.doesNotMatch(JSON.stringify(findings), /not-the/);
  });
});
