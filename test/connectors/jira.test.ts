import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import { Secret } from '../../src/config/secret.ts';
import type {
  CallOptions,
  Client,
  Outcome,
  Reading,
  Sandbox,
  WriteItem,
} from '../../src/connectors/connector.ts';
import { actions } from '../../src/connectors/jira/actions.ts';
import { tidy, toDocument, toText } from '../../src/connectors/jira/document.ts';
import { connector } from '../../src/connectors/jira/index.ts';
import type { Status } from '../../src/connectors/jira/status.ts';
import { examine } from '../contract.ts';

const plainIssue = (n: number) => ({ project: 'ONB', issue_type: 'Task', summary: `Onboard ${n}` });
const newIssue = async (client: Client, call: CallOptions, n: number) =>
  idOf((await client.write('create_issue', {}, [item(plainIssue(n))], call)).values().next().value);

examine(connector, {
  create_issue: {
    type: 'issues',
    fields: (n) => ({
      project: 'ONB',
      issue_type: 'task',
      summary: ` Onboard customer ${n} `,
      description: `Signed ${n} seats.\r\n\r\nStart with the call.\nThen the import. `,
      priority: 'high',
      labels: `new customer, tier-${n}`,
      due_date: '2027-01-31',
      assignee_id: '5b10a2844c20165700ede21g',
      parent: 'ONB-1',
      customfield_10042: `A-${n}`,
    }),
  },
  update_issue: {
    type: 'issues',
    writes: 'PUT ',
    fields: (n) => ({ summary: `Onboarded ${n}`, description: `Done by ${n}.`, priority: 'Low' }),
    parent: newIssue,
  },
  close_issue: {
    type: 'issues',
    writes: '/transitions\n',
    fields: () => ({ closed: 'true' }),
    mark: (key) => `Onboard ${key.split('-').at(-2)}`,
    parent: newIssue,
  },
  comment_issue: {
    type: 'comments',
    writes: 'POST ',
    fields: (n) => ({ body: `Plan is now ${n}. \n\nSeats: ${n}` }),
    parent: newIssue,
  },
});

let sandbox: Sandbox;
let client: Client;
const call = (): CallOptions => ({ signal: new AbortController().signal, timeoutMs: 2_000 });

let keys = 0;
function item(fields: Record<string, string>, more: Partial<WriteItem> = {}): WriteItem {
  const key = more.key ?? `jira-key-${++keys}`;
  return { key, requestKey: key, mayRepeat: true, parentId: undefined, fields, ...more };
}

async function write(action: string, one: WriteItem): Promise<Outcome> {
  return (await client.write(action, {}, [one], call())).get(one.key) ?? assert.fail('no outcome');
}

async function read(action: keyof typeof actions, one: WriteItem, id?: string): Promise<Reading> {
  const locator = actions[action].locate(one.fields);
  const wanted = { key: one.key, id, locator, parentId: one.parentId, fields: Object.keys(one.fields) };
  return (await client.read(action, {}, [wanted], call())).get(one.key) ?? assert.fail('no reading');
}

function idOf(outcome: Outcome | undefined): string {
  assert.ok(outcome?.kind === 'applied' || outcome?.kind === 'already', JSON.stringify(outcome));
  return outcome.id;
}

describe('jira', () => {
  beforeEach(async () => {
    sandbox = await connector.sandbox({ rateLimit: null });
    const { api_token = '', ...rest } = sandbox.settings;
    const settings = connector.schema.parse({ ...rest, api_token: new Secret(api_token) });
    client = await connector.open(settings, { pass: async () => () => {}, heed: () => {} });
  });
  afterEach(() => sandbox.close());

  test('an issue whose answer was lost is found by its label, which is not counted among its labels', async () => {
    const one = item({ ...plainIssue(1), labels: 'vip' });
    sandbox.inject({ kind: 'cut_after_write' });
    assert.equal((await write('create_issue', one)).kind, 'ambiguous');
    const reading = await read('create_issue', one);
    assert.ok(reading.kind === 'found');
    assert.deepEqual(reading.fields.labels, ['vip']);
  });

  test('a status is reached by the transition that leads to it, and asked for twice it stays', async () => {
    const parentId = await newIssue(client, call(), 1);
    const one = item({ status: 'done' }, { parentId });
    for (const _ of [1, 2]) idOf(await write('update_issue', one));
    const reading = await read('update_issue', one, parentId);
    assert.ok(reading.kind === 'found');
    assert.equal(reading.fields.status, 'Done');
  });

  test('a status that no transition leads to is a lasting no that names those that are open', async () => {
    const parentId = await newIssue(client, call(), 1);
    const outcome = await write('update_issue', item({ status: 'Shipped' }, { parentId }));
    assert.ok(outcome.kind === 'rejected' && outcome.permanent);
    assert.match(outcome.reason, /from To Do to Shipped; open are: In Progress, Done/);
  });

  test('a status that could not be changed after the fields were leaves the update in doubt', async () => {
    const parentId = await newIssue(client, call(), 1);
    sandbox.inject({ kind: 'throttle', retryAfterSeconds: 3, match: '/transitions\n' });
    const outcome = await write('update_issue', item({ summary: 'Half', status: 'Done' }, { parentId }));
    assert.ok(outcome.kind === 'ambiguous' && outcome.meanwhile?.kind === 'throttled');
  });

  test('an issue is closed and labelled, keeps its other labels, and closed twice it stays', async () => {
    const made = item({ ...plainIssue(1), labels: 'vip' });
    const parentId = idOf(await write('create_issue', made));
    const one = item({ closed: 'true', label: 'no more needed' }, { parentId });
    for (const _ of [1, 2]) assert.equal((await write('close_issue', one)).kind, 'applied');
    const reading = await read('close_issue', one, parentId);
    assert.ok(reading.kind === 'found');
    assert.deepEqual(reading.fields, { closed: 'true', label: 'no_more_needed' });
    assert.equal((sandbox.records()[0]?.fields.status as Status).name, 'Done');
    const labels = await read('create_issue', made, parentId);
    assert.deepEqual(labels.kind === 'found' && labels.fields.labels, ['vip', 'no_more_needed']);
    const plain = item({ closed: 'true' }, { parentId });
    assert.equal((await write('close_issue', plain)).kind, 'already');
  });

  test('an issue that was labelled but not closed is in doubt, and reads as open', async () => {
    const parentId = await newIssue(client, call(), 1);
    const one = item({ closed: 'true', label: 'withdrawn' }, { parentId });
    sandbox.inject({ kind: 'reject_item', match: 'Onboard 1' });
    assert.equal((await write('close_issue', one)).kind, 'ambiguous');
    const reading = await read('close_issue', one, parentId);
    assert.deepEqual(reading.kind === 'found' && reading.fields, { closed: 'false', label: 'withdrawn' });
    assert.equal((await write('close_issue', one)).kind, 'applied');
  });

  test('a comment is said once, however often it is written', async () => {
    const parentId = await newIssue(client, call(), 1);
    const one = item({ body: 'Hello' }, { parentId });
    assert.equal((await write('comment_issue', one)).kind, 'applied');
    assert.equal((await write('comment_issue', one)).kind, 'already');
    assert.equal(sandbox.records().filter(({ type }) => type === 'comments').length, 1);
  });

  test('what Jira refuses is reported by field, in its words', async () => {
    const outcome = await write('create_issue', item({ ...plainIssue(1), priority: 'Soon' }));
    assert.ok(outcome.kind === 'rejected' && outcome.permanent);
    assert.match(outcome.reason, /priority: Priority name is not valid/);
  });

  test('a hundred issues are read with one request', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 100; n += 1) ids.push(await newIssue(client, call(), n));
    const before = sandbox.requests().length;
    const items = ids.map((id) => ({ key: id, id, locator: {}, parentId: undefined, fields: ['summary'] }));
    const readings = await client.read('create_issue', {}, items, call());
    assert.equal([...readings.values()].filter(({ kind }) => kind === 'found').length, 100);
    assert.equal(sandbox.requests().length - before, 1);
  });

  test('any text comes back from a document as it went in, but for blanks that do not count', () => {
    const words = fc.string({ unit: fc.constantFrom('a', 'é', '*', ' ', '\n', '\t', '<') });
    fc.assert(fc.property(words, (text) => assert.equal(toText(toDocument(text)), tidy(text))));
  });

  test('only known fields and customfield_<id> may be mapped', () => {
    const { fields } = actions.create_issue;
    assert.ok(fields.safeParse({ ...plainIssue(1), customfield_10042: 'x' }).success);
    assert.equal(
      fields.safeParse({ ...plainIssue(1), colour: 'x' }).error?.issues[0]?.code,
      'unrecognized_keys',
    );
  });
});
