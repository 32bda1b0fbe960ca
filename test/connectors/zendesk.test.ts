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
import { actions } from '../../src/connectors/zendesk/actions.ts';
import { connector } from '../../src/connectors/zendesk/index.ts';
import { examine } from '../contract.ts';

const newTicket = async (client: Client, call: CallOptions, n: number) => {
  const fields = { subject: `Restock A-${n}`, body: 'Runs out soon.', priority: 'normal' };
  const item = {
    key: `parent-${n}`,
    requestKey: `parent-${n}`,
    mayRepeat: false,
    fields,
    parentId: undefined,
  };
  return idOf((await client.write('create_ticket', {}, [item], call)).get(item.key));
};

examine(connector, {
  create_ticket: {
    type: 'tickets',
    fields: (n) => ({
      subject: ` Restock A-${n} `,
      body: `Runs out in ${n} days.\r\nOrder 40. `,
      requester_email: `Supply.${n}@Acme.Example`,
      requester_name: 'Supply',
      priority: 'High',
      status: 'open',
      tags: `low stock, Restock, a-${n}`,
      group_id: '42',
      custom_360012: `A-${n}`,
    }),
  },
  update_ticket: {
    type: 'tickets',
    writes: 'PUT ',
    fields: (n) => ({ comment: `Back in stock: ${n}. `, status: 'Solved', priority: 'low', tags: 'done' }),
    parent: newTicket,
  },
  update_ticket_by_id: {
    type: 'tickets',
    writes: 'PUT ',
    fields: (n) => ({ ticket_id: String(n + 1), priority: 'urgent', comment: `${n}`, custom_7: `v${n}` }),
    prepare: async (client, call) => {
      for (const n of [0, 1, 2]) await newTicket(client, call, n);
    },
  },
  set_ticket: {
    type: 'tickets',
    writes: 'PUT ',
    mark: (key) => `"v${/\d+/.exec(key)?.[0]}"`,
    fields: (n) => ({ priority: 'Urgent', tags: 'b, A', custom_7: `v${n}` }),
    parent: newTicket,
  },
  upsert_user: {
    type: 'users',
    writes: 'create_or_update',
    reads: 'show_many',
    mark: (key) => `C-${/\d+/.exec(key)?.[0]}`,
    fields: (n) => ({
      external_id: ` C-${n}`,
      email: `Ada.${n}@Acme.Example `,
      name: `Ada ${n}`,
      tags: 'Trial, low stock',
      organization_id: '42',
      custom_seats: `${n}.50`,
    }),
  },
  upsert_organization: {
    type: 'organizations',
    writes: 'create_or_update',
    reads: 'show_many',
    mark: (key) => `ACC-${/\d+/.exec(key)?.[0]}`,
    fields: (n) => ({
      external_id: `ACC-${n}`,
      name: `Acme ${n}`,
      domain_names: 'acme.example, Acme.test',
      custom_tier: 'gold',
    }),
  },
});

let sandbox: Sandbox;
let client: Client;
const call = (): CallOptions => ({ signal: new AbortController().signal, timeoutMs: 2_000 });

async function open(changes: Record<string, string> = {}): Promise<Client> {
  const { api_token = '', ...rest } = { ...sandbox.settings, ...changes };
  const settings = connector.schema.parse({ ...rest, api_token: new Secret(api_token) });
  return connector.open(settings, { pass: async () => () => {}, heed: () => {} });
}

let keys = 0;
function item(fields: Record<string, string>, more: Partial<WriteItem> = {}): WriteItem {
  const key = more.key ?? `key-${++keys}`;
  return { key, requestKey: key, mayRepeat: true, parentId: undefined, fields, ...more };
}

async function write(action: string, one: WriteItem): Promise<Outcome> {
  const outcomes = await client.write(action, {}, [one], call());
  return outcomes.get(one.key) ?? assert.fail('no outcome');
}

async function read(action: string, one: WriteItem, id?: string): Promise<Reading> {
  const locator = actionsOf(connector)?.[action]?.locate(one.fields, {}) ?? {};
  const wanted = { key: one.key, id, locator, parentId: one.parentId, fields: Object.keys(one.fields) };
  return (await client.read(action, {}, [wanted], call())).get(one.key) ?? assert.fail('no reading');
}

function idOf(outcome: Outcome | undefined): string {
  assert.ok(outcome?.kind === 'applied' || outcome?.kind === 'already', JSON.stringify(outcome));
  return outcome.id;
}

const order = {
  subject: 'Restock A-1',
  body: 'Runs out in 3 days.\nOrder 40.',
  requester_email: 'Supply@Acme.example',
  priority: 'high',
  type: 'task',
  tags: 'Restock, low stock',
  assignee_id: '77',
  custom_123: 'A-1',
};

function same(action: keyof typeof actions, sent: Record<string, string>, reading: Reading): void {
  assert.equal(reading.kind, 'found');
  if (reading.kind !== 'found') return;
  const { canonical } = actions[action];
  for (const [field, value] of Object.entries(sent)) {
    assert.equal(canonical(field, reading.fields[field]), canonical(field, value), field);
  }
}

describe('zendesk', () => {
  beforeEach(async () => {
    sandbox = await connector.sandbox({ rateLimit: null });
    client = await open();
  });
  afterEach(() => sandbox.close());

  test('a ticket reads back as it was sent, by id and by external_id', async () => {
    const one = item(order);
    const id = idOf(await write('create_ticket', one));
    same('create_ticket', order, await read('create_ticket', one, id));
    same('create_ticket', order, await read('create_ticket', one));
  });

  test('the same request key twice makes one ticket', async () => {
    const one = item(order);
    const first = await write('create_ticket', one);
    assert.deepEqual(await write('create_ticket', one), { kind: 'already', id: idOf(first) });
    assert.equal(sandbox.records().length, 1);
  });

  test('the same request key with another body is ambiguous, and the first ticket is found by its key', async () => {
    const one = item(order);
    const id = idOf(await write('create_ticket', one));
    const outcome = await write('create_ticket', {
      ...one,
      fields: { ...order, subject: 'Restock A-1 now' },
    });
    assert.equal(outcome.kind, 'ambiguous');
    const reading = await read('create_ticket', one);
    assert.ok(reading.kind === 'found' && reading.id === id);
    assert.equal(sandbox.records().length, 1);
  });

  test('of several tickets with our external_id the oldest is read', async () => {
    const one = item(order);
    const id = idOf(await write('create_ticket', one));
    await write('create_ticket', { ...one, requestKey: `${one.key}-2` });
    const reading = await read('create_ticket', one);
    assert.ok(reading.kind === 'found' && reading.id === id);
  });

  test('a ticket whose connection was cut after the write is found by its key', async () => {
    sandbox.inject({ kind: 'cut_after_write' });
    const one = item(order);
    assert.equal((await write('create_ticket', one)).kind, 'ambiguous');
    same('create_ticket', order, await read('create_ticket', one));
  });

  test('a hundred tickets are read with one request', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 100; n++) ids.push(idOf(await write('create_ticket', item({ body: `n ${n}` }))));
    const before = sandbox.requests().length;
    const items = ids.map((id) => ({ key: id, id, locator: {}, parentId: undefined, fields: ['body'] }));
    const readings = await client.read('create_ticket', {}, items, call());
    assert.equal([...readings.values()].filter((reading) => reading.kind === 'found').length, 100);
    assert.equal(sandbox.requests().length - before, 1);
  });

  test('an update with a comment says it once, however often it is written', async () => {
    const parentId = idOf(await write('create_ticket', item(order)));
    const one = item({ comment: 'Back in stock.', status: 'solved' }, { parentId });
    assert.deepEqual(await write('update_ticket', one), { kind: 'applied', id: parentId });
    assert.deepEqual(await write('update_ticket', one), { kind: 'already', id: parentId });
    assert.deepEqual(sandbox.records()[0]?.fields.comments, [order.body, 'Back in stock.']);
    same('update_ticket', one.fields, await read('update_ticket', one, parentId));
  });

  test('an update that was cut off is found by its audit, and absent when it never arrived', async () => {
    const parentId = idOf(await write('create_ticket', item(order)));
    const written = item({ comment: 'one' }, { parentId });
    sandbox.inject({ kind: 'cut_after_write' });
    assert.equal((await write('update_ticket', written)).kind, 'ambiguous');
    same('update_ticket', written.fields, await read('update_ticket', written));
    const lost = item({ priority: 'low' }, { parentId });
    sandbox.inject({ kind: 'cut_before_write' });
    assert.equal((await write('update_ticket', lost)).kind, 'ambiguous');
    assert.deepEqual(await read('update_ticket', lost), { kind: 'absent' });
  });

  test('an update without a comment costs one request to write', async () => {
    const parentId = idOf(await write('create_ticket', item(order)));
    const before = sandbox.requests().length;
    await write('update_ticket', item({ priority: 'low' }, { parentId }));
    assert.equal(sandbox.requests().length - before, 1);
  });

  test('our audit is found among the newest of hundreds', async () => {
    const ticket_id = idOf(await write('create_ticket', item(order)));
    for (let n = 0; n < 250; n++) await write('update_ticket_by_id', item({ ticket_id, priority: 'low' }));
    const one = item({ ticket_id, comment: 'the last word' });
    await write('update_ticket_by_id', one);
    same('update_ticket_by_id', one.fields, await read('update_ticket_by_id', one));
  });

  test('updating a ticket that does not exist is a lasting no', async () => {
    const outcome = await write('update_ticket_by_id', item({ ticket_id: '999', priority: 'low' }));
    assert.ok(outcome.kind === 'rejected' && outcome.permanent && outcome.code === 'RecordNotFound');
  });

  test('a refused value is reported in Zendesk’s words', async () => {
    const outcome = await write('create_ticket', item({ body: 'x', requester_email: 'badmail' }));
    assert.ok(outcome.kind === 'rejected' && outcome.permanent);
    assert.match(outcome.reason, /badmail is not properly formatted/);
  });

  test('a 429 in plain text tells how long to wait', async () => {
    sandbox.inject({ kind: 'throttle', retryAfterSeconds: 27 });
    const outcome = await write('create_ticket', item(order));
    assert.ok(outcome.kind === 'throttled' && outcome.retryAfterMs === 27_000);
  });

  test('wrong credentials are a finding for doctor, without the token', async () => {
    const wrong = await open({ api_token: 'not-the-token' });
    const findings = await wrong.check([], call());
    assert.equal(findings.length, 1);
    assert.ok(!JSON.stringify(findings).includes('not-the-token'));
    assert.deepEqual(await client.check([], call()), []);
  });

  test('only known fields and custom_<id> may be mapped', () => {
    const { fields } = actions.create_ticket;
    assert.ok(fields.safeParse({ body: 'x', custom_360012: 'y' }).success);
    assert.deepEqual(
      fields.safeParse({ body: 'x', colour: 'y' }).error?.issues[0]?.code,
      'unrecognized_keys',
    );
    const misspelt = fields.safeParse({ bodyy: 'x' }).error?.issues.map(({ code }) => code);
    assert.deepEqual(misspelt?.sort(), ['invalid_type', 'unrecognized_keys']);
  });
});
