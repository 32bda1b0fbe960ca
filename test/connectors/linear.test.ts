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
import { actions } from '../../src/connectors/linear/actions.ts';
import { idOf, isId } from '../../src/connectors/linear/identity.ts';
import { connector } from '../../src/connectors/linear/index.ts';
import { examine } from '../contract.ts';

const newIssue = async (client: Client, call: CallOptions, n: number) => {
  const one = item(`parent-${n}`, { team: 'ENG', title: `Issue ${n}` });
  const outcome = (await client.write('create_issue', {}, [one], call)).get(one.key);
  return outcome?.kind === 'applied' ? outcome.id : assert.fail(JSON.stringify(outcome));
};

examine(connector, {
  create_issue: {
    type: 'issues',
    writes: '"CreateIssues"',
    reads: '"Issues"',
    mark: idOf,
    fields: (n) => ({
      team: 'eng',
      title: ` Onboard A-${n} `,
      description: `A-${n} signed.\r\n\r\nStart with the call. `,
      state: 'In Progress',
      priority: 'High',
      labels: 'restock, onboarding , restock',
      assignee: 'Ada@sandbox.example',
      project: 'Launch',
      due_date: '2027-01-31',
    }),
  },
  update_issue: {
    type: 'issues',
    writes: '"UpdateIssue"',
    reads: '"Issues"',
    // The request names the issue; each of the exam's items has one of its own.
    mark: (key) => idOf(key.replace(/^exam-key-update_issue-(\d)-x$/, 'parent-$1')),
    fields: (n) => ({ title: `Closed ${n} `, state: 'Done', priority: '1', labels: 'urgent' }),
    parent: newIssue,
  },
  cancel_issue: {
    type: 'issues',
    writes: '"UpdateIssue"',
    reads: '"Issues"',
    mark: (key) => idOf(key.replace(/^exam-key-cancel_issue-(\d)-x$/, 'parent-$1')),
    fields: () => ({ canceled: 'true' }),
    parent: newIssue,
  },
  comment_issue: {
    type: 'comments',
    writes: '"CreateComment"',
    reads: '"Comments"',
    mark: idOf,
    fields: (n) => ({ body: `A-${n} has changed. ` }),
    parent: newIssue,
  },
});

let sandbox: Sandbox;
let client: Client;
const call = (): CallOptions => ({ signal: new AbortController().signal, timeoutMs: 2_000 });

function item(key: string, fields: Record<string, string>, parentId?: string): WriteItem {
  return { key, requestKey: key, mayRepeat: false, fields, parentId };
}

async function write(action: string, ...items: WriteItem[]): Promise<Outcome[]> {
  const outcomes = await client.write(action, {}, items, call());
  return items.map(({ key }) => outcomes.get(key) ?? assert.fail('no outcome'));
}

async function read(action: keyof typeof actions, one: WriteItem): Promise<Reading> {
  const locator = actions[action].locate(one.fields);
  const wanted = { ...one, id: undefined, locator, fields: Object.keys(one.fields) };
  return (await client.read(action, {}, [wanted], call())).get(one.key) ?? assert.fail('no reading');
}

const many = (count: number) =>
  Array.from({ length: count }, (_, n) =>
    item(`key-${n}`, { team: 'ENG', title: `Issue ${n}`, state: 'Todo' }),
  );

describe('linear', () => {
  beforeEach(async () => {
    sandbox = await connector.sandbox({ rateLimit: null });
    const { api_key = '', ...rest } = sandbox.settings;
    const settings = connector.schema.parse({ ...rest, api_key: new Secret(api_key) });
    client = await connector.open(settings, { pass: async () => () => {}, heed: () => {} });
  });
  afterEach(() => sandbox.close());

  test('fifty issues take two requests to write, one to read, and the next fifty one', async () => {
    const outcomes = await write('create_issue', ...many(50));
    assert.ok(outcomes.every(({ kind }) => kind === 'applied'));
    assert.equal(sandbox.requests().length, 2);
    const wanted = many(50).map((one) => ({ ...one, id: undefined, locator: {}, fields: ['title'] }));
    const readings = await client.read('create_issue', {}, wanted, call());
    assert.equal([...readings.values()].filter(({ kind }) => kind === 'found').length, 50);
    assert.equal(sandbox.requests().length, 3);
    await write('create_issue', ...many(50).map((one) => ({ ...one, key: `next-${one.key}` })));
    assert.equal(sandbox.requests().length, 4);
  });

  test('of a batch that is refused together, one is refused and the others are written once', async () => {
    sandbox.inject({ kind: 'reject_item', match: idOf('key-3') });
    const outcomes = await write('create_issue', ...many(8));
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      [...Array(3).fill('applied'), 'rejected', ...Array(4).fill('applied')],
    );
    assert.ok(sandbox.records().every(({ writes }) => writes === 1));
  });

  test('a batch written again after its answer was lost makes no second issue of any', async () => {
    sandbox.inject({ kind: 'cut_after_write', match: '"CreateIssues"' });
    assert.ok((await write('create_issue', ...many(5))).every(({ kind }) => kind === 'ambiguous'));
    const again = await write('create_issue', ...many(6));
    assert.deepEqual(
      again.map(({ kind }) => kind),
      [...Array(5).fill('already'), 'applied'],
    );
    assert.equal(sandbox.records().length, 6);
  });

  test('an issue that the answer does not name is in doubt', async (t) => {
    const named = { issueBatchCreate: { success: true, issues: [{ id: idOf('key-1') }] } };
    const server = createServer((_request, response) => response.end(JSON.stringify({ data: named })));
    server.listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const base_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const settings = connector.schema.parse({ base_url, api_key: new Secret('x') });
    client = await connector.open(settings, { pass: async () => () => {}, heed: () => {} });
    const outcomes = await write(
      'create_issue',
      item('key-1', { team: idOf('team ENG'), title: 'x' }),
      item('key-2', { team: idOf('team ENG'), title: 'x' }),
    );
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ['applied', 'ambiguous'],
    );
  });

  test('a name that nobody has is a lasting no for its issue alone', async () => {
    const [bad, good] = await write(
      'create_issue',
      item('key-1', { team: 'ENG', title: 'x', state: 'Doen' }),
      item('key-2', { team: 'ENG', title: 'x', state: 'Done' }),
    );
    assert.ok(bad?.kind === 'rejected' && bad.permanent);
    assert.match(bad.reason, /no state is called Doen in the issue's team/);
    assert.equal(good?.kind, 'applied');
    const [twins] = await write('create_issue', item('key-3', { team: 'ENG', title: 'x', project: 'Twin' }));
    assert.ok(twins?.kind === 'rejected' && /2 projects are called Twin; write the id/.test(twins.reason));
    const [urgency] = await write(
      'create_issue',
      item('key-4', { team: 'ENG', title: 'x', priority: 'asap' }),
    );
    assert.ok(urgency?.kind === 'rejected' && /write none, urgent, high, medium, low/.test(urgency.reason));
  });

  test('what was written as an id is read back as an id', async () => {
    const one = item('key-1', {
      team: idOf('team ENG'),
      title: 'x',
      state: idOf('state Done of ENG'),
      labels: `${idOf('label Bug')}, ${idOf('label restock')}`,
      assignee: 'ada@sandbox.example',
    });
    assert.equal((await write('create_issue', one))[0]?.kind, 'applied');
    const reading = await read('create_issue', one);
    assert.ok(reading.kind === 'found');
    for (const [field, value] of Object.entries(one.fields))
      assert.equal(
        actions.create_issue.canonical(field, reading.fields[field]),
        actions.create_issue.canonical(field, value),
        field,
      );
  });

  test('a state is looked up in the team of the issue that is changed', async () => {
    const [created] = await write('create_issue', item('key-1', { team: 'ONB', title: 'x' }));
    assert.ok(created?.kind === 'applied');
    await write('update_issue', item('key-2', { state: 'Done', assignee: '' }, created.id));
    assert.equal(sandbox.records()[0]?.fields.stateId, idOf('state Done of ONB'));
    assert.equal(sandbox.records()[0]?.fields.assigneeId, null);
  });

  test('an issue is cancelled by the first such state of its team, and one that is cancelled is left alone', async () => {
    const [created] = await write('create_issue', item('key-1', { team: 'ONB', title: 'x' }));
    assert.ok(created?.kind === 'applied');
    const cancelling = item('key-2', { canceled: 'true' }, created.id);
    assert.equal((await write('cancel_issue', cancelling))[0]?.kind, 'applied');
    assert.equal(sandbox.records()[0]?.fields.stateId, idOf('state Canceled of ONB'));
    await write('update_issue', item('key-3', { state: "Won't do" }, created.id));
    assert.equal((await write('cancel_issue', cancelling))[0]?.kind, 'already');
    assert.equal(sandbox.records()[0]?.fields.stateId, idOf("state Won't do of ONB"));
  });

  test('cancelling an issue that is gone is a lasting no', async () => {
    const [outcome] = await write('cancel_issue', item('key-1', { canceled: 'true' }, idOf('nothing')));
    assert.ok(outcome?.kind === 'rejected' && outcome.permanent);
    assert.match(outcome.reason, /^there is no issue/);
  });

  test('changing an issue that is gone is a lasting no, in Linear’s words', async () => {
    const [outcome] = await write('update_issue', item('key-1', { title: 'x' }, idOf('nothing')));
    assert.ok(outcome?.kind === 'rejected' && outcome.permanent);
    assert.match(outcome.reason, /Could not find referenced Issue/);
  });

  test('a full bucket is a 400, waited out for a minute at most', async () => {
    sandbox.inject({ kind: 'throttle_bare' });
    const [outcome] = await write('create_issue', ...many(1));
    assert.ok(outcome?.kind === 'throttled');
    assert.equal(outcome.retryAfterMs, 60_000);
  });

  test('the ids made of keys are random UUIDs in form, and always the same', () => {
    for (const key of ['a', 'b', 'exam-key'])
      assert.match(idOf(key), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]/);
    assert.ok(isId(idOf('a')));
    assert.equal(idOf('a'), idOf('a'));
    assert.notEqual(idOf('a'), idOf('b'));
  });
});
