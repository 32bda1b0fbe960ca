import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
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
import { actions } from '../../src/connectors/intercom/actions.ts';
import { connector } from '../../src/connectors/intercom/index.ts';
import { contactIdOf } from '../../src/connectors/intercom/sandbox-people.ts';
import { examine } from '../contract.ts';

const byExternalId = { id_property: 'external_id' };

function item(key: string, fields: Record<string, string>, more: Partial<WriteItem> = {}): WriteItem {
  return { key, requestKey: key, mayRepeat: false, fields, parentId: undefined, ...more };
}

/** A contact whose external id is the key of the exam's nth item. */
const newContact = (action: string) => async (client: Client, call: CallOptions, n: number) => {
  const key = `exam-key-${action}-${n}-x`;
  await client.write('upsert_contact', byExternalId, [item(key, { external_id: key })], call);
  return contactIdOf(key);
};

examine(connector, {
  upsert_contact: {
    type: 'contacts',
    writes: 'POST /contacts',
    reads: 'GET /contacts/',
    fields: (n) => ({
      external_id: `exam-key-upsert_contact-${n}-x`,
      email: `Ada.${n}@Acme.Example`,
      name: ` Ada & O'Neill ${n} `,
      phone: '+49 30 1234-56',
      owner_id: '7',
      custom_plan: 'team',
      custom_seats: `${n}`,
      custom_mrr: '12.50',
      custom_trial: 'False',
      custom_renewal_on: '2027-01-31',
    }),
  },
  tag_contact: {
    type: 'contacts',
    writes: '/tags\n{"id"',
    reads: 'GET /contacts/',
    mark: contactIdOf,
    fields: () => ({ tag: ' Churn Risk' }),
    parent: newContact('tag_contact'),
  },
  untag_contact: {
    type: 'contacts',
    writes: 'DELETE ',
    reads: 'GET /contacts/',
    mark: contactIdOf,
    fields: () => ({ tag: 'churn risk' }),
    parent: async (client, call, n) => {
      const parentId = await newContact('untag_contact')(client, call, n);
      await client.write('tag_contact', {}, [item(`tag-${n}`, { tag: 'Churn risk' }, { parentId })], call);
      return parentId;
    },
  },
  note_contact: {
    type: 'notes',
    writes: '/notes\n{',
    reads: 'GET /contacts/',
    fields: (n) => ({ body: `Plan <team> & ${n} seats.\r\nEnds in May. ` }),
    parent: newContact('note_contact'),
  },
});

let sandbox: Sandbox;
let client: Client;
const call = (): CallOptions => ({ signal: new AbortController().signal, timeoutMs: 2_000 });

async function write(
  action: string,
  one: WriteItem,
  options: Record<string, unknown> = byExternalId,
): Promise<Outcome> {
  return (await client.write(action, options, [one], call())).get(one.key) ?? assert.fail('no outcome');
}

async function read(
  action: keyof typeof actions,
  one: WriteItem,
  options: Record<string, unknown> = byExternalId,
): Promise<Reading> {
  const locator = actions[action].locate(one.fields, options);
  const wanted = { ...one, id: undefined, locator, fields: Object.keys(one.fields) };
  return (await client.read(action, options, [wanted], call())).get(one.key) ?? assert.fail('no reading');
}

const contacts = () => sandbox.records().filter(({ type }) => type === 'contacts');

describe('intercom', () => {
  beforeEach(async () => {
    sandbox = await connector.sandbox({ rateLimit: null });
    const { access_token = '', ...rest } = sandbox.settings;
    const settings = connector.schema.parse({ ...rest, access_token: new Secret(access_token) });
    client = await connector.open(settings, { pass: async () => () => {}, heed: () => {} });
  });
  afterEach(() => sandbox.close());

  test('a contact that the search does not know yet is changed all the same, by the id in the conflict', async () => {
    const byEmail = { id_property: 'email' };
    await write('upsert_contact', item('key-1', { email: 'Ada@acme.example', name: 'Ada' }), byEmail);
    sandbox.inject({ kind: 'stale_read', match: '/contacts/search' });
    const outcome = await write(
      'upsert_contact',
      item('key-2', { email: 'ada@acme.example', name: 'Ada L.' }),
      byEmail,
    );
    assert.deepEqual(outcome, { kind: 'applied', id: contactIdOf('ada@acme.example') });
    assert.deepEqual(
      contacts().map(({ fields }) => fields.name),
      ['Ada L.'],
    );
  });

  test('somebody else with the same email is left alone', async () => {
    await write('upsert_contact', item('key-1', { external_id: '1', email: 'ada@acme.example' }));
    const outcome = await write(
      'upsert_contact',
      item('key-2', { external_id: '2', email: 'ada@acme.example' }),
    );
    assert.ok(outcome.kind === 'rejected' && outcome.permanent && outcome.code === 'conflict');
    assert.deepEqual(
      contacts().map(({ fields }) => fields.external_id),
      ['1'],
    );
  });

  test('of what a search brings only the contact that is meant counts, and only when it is one', async (t) => {
    const found = ['ada@acme.example', 'adam@acme.example', 'eve@acme.example', 'Eve@acme.example'];
    const seen: string[] = [];
    const server = createServer((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      const data = found.map((email, n) => ({ type: 'contact', id: `c${n}`, email }));
      response.end(JSON.stringify(request.url === '/contacts/search' ? { type: 'list', data } : data[1]));
    });
    server.listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const base_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const settings = connector.schema.parse({ base_url, access_token: new Secret('x') });
    client = await connector.open(settings, { pass: async () => () => {}, heed: () => {} });
    const byEmail = { id_property: 'email' };
    const adam = await write('upsert_contact', item('key-1', { email: 'adam@acme.example' }), byEmail);
    assert.deepEqual(adam, { kind: 'applied', id: 'c1' });
    const eve = await write('upsert_contact', item('key-2', { email: 'eve@acme.example' }), byEmail);
    assert.ok(eve.kind === 'rejected' && eve.permanent && /2 contacts have this email/.test(eve.reason));
    assert.deepEqual(seen, ['POST /contacts/search', 'PUT /contacts/c1', 'POST /contacts/search']);
  });

  test('custom attributes are sent in the type that the workspace gives them', async () => {
    const custom = {
      custom_seats: '4',
      custom_mrr: '9.90',
      custom_trial: 'TRUE',
      custom_renewal_on: '2027-01-31',
    };
    await write('upsert_contact', item('key-1', { external_id: '1', ...custom }));
    assert.deepEqual(contacts()[0]?.fields.custom_attributes, {
      seats: 4,
      mrr: 9.9,
      trial: true,
      renewal_on: 1_801_353_600,
    });
    const before = sandbox.requests().length;
    await write('upsert_contact', item('key-2', { external_id: '1', custom_seats: '' }));
    assert.equal(sandbox.requests().length - before, 2, 'the types were asked for again');
    assert.equal((contacts()[0]?.fields.custom_attributes as { seats: unknown }).seats, null);
  });

  test('a custom attribute that is not there, or not of that type, is a lasting no before anything is sent', async () => {
    const unknown = await write('upsert_contact', item('key-1', { external_id: '1', custom_colour: 'red' }));
    assert.ok(unknown.kind === 'rejected' && /no custom attribute colour/.test(unknown.reason));
    const wrong = await write('upsert_contact', item('key-2', { external_id: '1', custom_seats: 'four' }));
    assert.ok(wrong.kind === 'rejected' && /seats is of the type integer; four is not/.test(wrong.reason));
    assert.deepEqual(contacts(), []);
  });

  test('a tag is made once, whatever its capitals, and can be taken away again', async () => {
    await write('upsert_contact', item('key-1', { external_id: '1' }));
    const parentId = contactIdOf('1');
    await write('tag_contact', item('key-2', { tag: 'VIP' }, { parentId }));
    await write('tag_contact', item('key-3', { tag: 'vip ' }, { parentId }));
    assert.equal(sandbox.records().filter(({ type }) => type === 'tags').length, 1);
    const away = item('key-4', { tag: 'Vip' }, { parentId });
    const still = await read('untag_contact', away);
    assert.ok(still.kind === 'found' && still.fields.tag === '');
    assert.equal((await write('untag_contact', away)).kind, 'applied');
    assert.equal((await write('untag_contact', away)).kind, 'already');
    assert.deepEqual(contacts()[0]?.fields.tags, []);
  });

  test('a note is written once, however often it is sent, and found among hundreds', async () => {
    await write('upsert_contact', item('key-1', { external_id: '1' }));
    const parentId = contactIdOf('1');
    const note = item('key-2', { body: 'A note.' }, { parentId, mayRepeat: true });
    assert.equal((await write('note_contact', note)).kind, 'applied');
    for (let n = 0; n < 120; n += 1)
      await write('note_contact', item(`other-${n}`, { body: `${n}` }, { parentId }));
    assert.equal((await write('note_contact', note)).kind, 'already');
    const reading = await read('note_contact', note);
    assert.ok(reading.kind === 'found');
    assert.equal(actions.note_contact.canonical('body', reading.fields.body), 'A note.');
  });

  test('a full window is waited out until its reset', async () => {
    sandbox.inject({ kind: 'throttle_bare' });
    const outcome = await write('upsert_contact', item('key-1', { external_id: '1' }));
    assert.ok(outcome.kind === 'throttled' && outcome.retryAfterMs !== null);
    assert.ok(outcome.retryAfterMs > 5_000 && outcome.retryAfterMs <= 11_000, String(outcome.retryAfterMs));
  });
});
