import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Secret } from '../../src/config/secret.ts';
import type {
  CallOptions,
  Client,
  Fields,
  Outcome,
  Sandbox,
  WriteItem,
} from '../../src/connectors/connector.ts';
import { actions } from '../../src/connectors/zendesk/actions.ts';
import { connector } from '../../src/connectors/zendesk/index.ts';

let sandbox: Sandbox;
let client: Client;
let heeded: string[];
const call = (timeoutMs = 5_000): CallOptions => ({ signal: new AbortController().signal, timeoutMs });

function item(n: number, fields: Fields): WriteItem {
  return { key: `key-${n}`, requestKey: `key-${n}`, mayRepeat: false, parentId: undefined, fields };
}
const byEmail = (n: number) => item(n, { email: `ada.${n}@acme.example`, name: `Ada ${n}` });
const byExternalId = (n: number) =>
  item(n, { external_id: `C-${n}`, email: `ada.${n}@acme.example`, name: `Ada ${n}` });
const several = (count: number, make: (n: number) => WriteItem) =>
  Array.from({ length: count }, (_, n) => make(n));

const upsert = (items: WriteItem[], options = call()) => client.write('upsert_user', {}, items, options);
const read = (items: WriteItem[]) =>
  client.read(
    'upsert_user',
    {},
    items.map(({ key, fields }) => ({
      key,
      id: undefined,
      locator: actions.upsert_user.locate(fields),
      parentId: undefined,
      fields: Object.keys(fields),
    })),
    call(),
  );
const kinds = (outcomes: Map<string, Outcome>) => [...outcomes.values()].map(({ kind }) => kind);
const users = () => sandbox.records().filter(({ type }) => type === 'users');
const posts = (path: string) => sandbox.requests().filter((one) => one.path === `/api/v2/${path}`).length;

describe('zendesk users, organisations and what is forbidden', () => {
  beforeEach(async () => {
    sandbox = await connector.sandbox({ rateLimit: null });
    heeded = [];
    const { api_token = '', ...rest } = sandbox.settings;
    const settings = connector.schema.parse({ ...rest, api_token: new Secret(api_token) });
    const heed = (refusal: { kind: string }) => void heeded.push(refusal.kind);
    client = await connector.open(settings, { pass: async () => () => {}, heed });
  });
  afterEach(() => sandbox.close());

  test('a hundred users are one job, and each gets its own id', async () => {
    for (const make of [byEmail, byExternalId]) {
      const items = several(100, make);
      const outcomes = await upsert(items);
      for (const { key, fields } of items) {
        const outcome = outcomes.get(key);
        const record = users().find(({ fields: held }) => held.email === fields.email);
        assert.deepEqual(outcome, { kind: 'applied', id: record?.id });
      }
    }
    assert.equal(posts('users/create_or_update_many'), 2);
    assert.equal(posts('users/create_or_update'), 0);
  });

  test('a user whom a job refused goes alone, and is refused by name', async () => {
    sandbox.inject({ kind: 'reject_item', match: 'ada.1@' });
    const outcomes = await upsert(several(3, byEmail));
    assert.deepEqual(kinds(outcomes).sort(), ['applied', 'applied', 'rejected']);
    const refused = outcomes.get('key-1');
    assert.ok(refused?.kind === 'rejected' && refused.permanent && /is not allowed/.test(refused.reason));
    assert.equal(posts('users/create_or_update'), 1);
  });

  test('the same user twice in a batch is written in order', async () => {
    const again = item(9, { email: 'ADA.0@acme.example', name: 'Ada Lovelace' });
    const outcomes = await upsert([byEmail(0), byEmail(1), again]);
    assert.deepEqual(outcomes.get('key-9'), outcomes.get('key-0'));
    assert.equal(users().length, 2);
    assert.equal(
      users().find(({ fields }) => fields.email === 'ada.0@acme.example')?.fields.name,
      'Ada Lovelace',
    );
  });

  test('an account that may not import writes one by one, and is not asked again', async () => {
    const refusedOnce = item(7, { email: 'x@acme.example', name: 'imports not enabled' });
    assert.deepEqual(kinds(await upsert([byEmail(0), refusedOnce])), ['applied', 'applied']);
    assert.deepEqual(kinds(await upsert([byEmail(1), byEmail(2)])), ['applied', 'applied']);
    assert.equal(posts('users/create_or_update_many'), 1);
    assert.deepEqual(heeded, []);
  });

  test('a job that is not over in time leaves its users in doubt, until read-back finds them', async () => {
    sandbox.inject({ kind: 'slow', delayMs: 2_000, match: 'job_statuses' });
    const items = several(2, byExternalId);
    assert.deepEqual(kinds(await upsert(items, call(400))), ['ambiguous', 'ambiguous']);
    const readings = await read(items);
    assert.deepEqual(
      items.map(({ key }) => readings.get(key)?.kind),
      ['found', 'found'],
    );
  });

  test('the next values of a user wait while it is in doubt whether the ones before may still land', async () => {
    sandbox.inject({ kind: 'slow', delayMs: 2_000, match: 'job_statuses' });
    const again = item(9, { email: 'ada.0@acme.example', name: 'Ada Lovelace' });
    const outcomes = await upsert([byEmail(0), byEmail(1), again], call(400));
    assert.deepEqual(kinds(outcomes), ['ambiguous', 'ambiguous', 'throttled']);
  });

  test('a 429 while a job is asked after is heeded, and the users are in doubt', async () => {
    sandbox.inject({ kind: 'throttle', match: 'job_statuses', retryAfterSeconds: 9 });
    for (const outcome of (await upsert(several(2, byEmail))).values()) {
      assert.ok(outcome.kind === 'ambiguous', outcome.kind);
      assert.deepEqual(outcome.meanwhile && [outcome.meanwhile.kind], ['throttled']);
    }
    assert.deepEqual(heeded, ['throttled']);
  });

  test('a question after a job that fails is asked again', async () => {
    sandbox.inject({ kind: 'garbage', match: 'job_statuses' });
    assert.deepEqual(kinds(await upsert(several(2, byEmail))), ['applied', 'applied']);
  });

  test('a user by email whose answer was lost is found by a search', async () => {
    sandbox.inject({ kind: 'cut_after_write' });
    assert.deepEqual(kinds(await upsert([byEmail(0)])), ['ambiguous']);
    const reading = (await read([byEmail(0)])).get('key-0');
    assert.ok(reading?.kind === 'found' && reading.fields.name === 'Ada 0');
  });

  test('a row without the external_id that is mapped means nobody, whatever its email', async () => {
    const outcome = (await upsert([item(0, { external_id: ' ', email: 'ada@acme.example' })])).get('key-0');
    assert.ok(outcome?.kind === 'rejected' && outcome.code === 'identity');
    assert.equal(sandbox.requests().length, 0);
  });

  test('a destination that maps neither external_id nor email is told so', () => {
    const said = actions.upsert_user.fields.safeParse({ name: 'Ada' });
    assert.match(String(said.error), /map external_id or email/);
  });

  test('users, organisations and tickets have pages for agents', () => {
    const settings = { subdomain: 'acme' };
    assert.equal(actions.upsert_user.link('7', settings), 'https://acme.zendesk.com/agent/users/7');
    assert.equal(
      actions.upsert_organization.link('7', settings),
      'https://acme.zendesk.com/agent/organizations/7',
    );
  });

  test('a 403 on one ticket is that ticket’s, and the connection goes on', async () => {
    const theirs = await newTicket({ body: 'x', group_id: '403' });
    const ours = await newTicket({ body: 'x' });
    const outcome = await change(theirs);
    assert.ok(outcome?.kind === 'rejected' && outcome.permanent && outcome.code === 'forbidden');
    assert.match(outcome.reason, /You do not have access/);
    assert.equal((await change(ours))?.kind, 'applied');
    assert.deepEqual(heeded, []);
  });

  test('a 403 of an account that does not know us either is the account’s', async () => {
    const theirs = await newTicket({ body: 'x', group_id: '403' });
    sandbox.inject({ kind: 'unauthorized', match: '/users/me' });
    assert.equal((await change(theirs))?.kind, 'unavailable');
    assert.deepEqual(heeded, ['unavailable']);
  });
});

let tickets = 0;
async function newTicket(fields: Fields): Promise<string> {
  const one = item(1_000 + ++tickets, fields);
  const outcome = (await client.write('create_ticket', {}, [one], call())).get(one.key);
  assert.ok(outcome?.kind === 'applied');
  return outcome.id;
}

async function change(ticket_id: string): Promise<Outcome | undefined> {
  const one = item(2_000, { ticket_id, priority: 'low' });
  return (await client.write('update_ticket_by_id', {}, [one], call())).get(one.key);
}
