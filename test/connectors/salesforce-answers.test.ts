import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type FastifyInstance, fastify } from 'fastify';
import { Secret } from '../../src/config/secret.ts';
import type { Client, Outcome, Reading, WriteItem } from '../../src/connectors/connector.ts';
import { connector } from '../../src/connectors/salesforce/index.ts';

/** Answers the sandbox never gives, but Salesforce does or may. */
interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body: unknown;
}
const error = (statusCode: string, message = 'no') => ({
  success: false,
  errors: [{ statusCode, message, fields: [] }],
});
const fault = (status: number, errorCode: string, message = 'no', headers = {}): Answer => ({
  status,
  headers,
  body: [{ errorCode, message }],
});

describe('what Salesforce may answer', () => {
  let server: FastifyInstance;
  let client: Client;
  let instance_url = '';
  /** Taken one per request; the last one stays. */
  let answers: Answer[] = [];
  let requests = 0;
  let heeded = 0;
  const token = '00D5-secret-session';

  before(async () => {
    server = fastify();
    server.addContentTypeParser('*', (_request, _body, done) => done(null));
    server.all('/*', (_request, reply) => {
      requests += 1;
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      const { status = 200, headers = {}, body } = answer as Answer;
      return reply.code(status).headers(headers).type('application/json').send(JSON.stringify(body));
    });
    instance_url = await server.listen({ host: '127.0.0.1', port: 0 });
    const settings = connector.schema.parse({ access_token: new Secret(token), instance_url });
    const heed = () => {
      heeded += 1;
    };
    client = await connector.open(settings, { pass: async () => () => {}, heed });
  });
  after(() => server.close());

  const options = { object: 'Contact', external_id: 'Customer_Id__c', auto_assign: false };
  const call = () => ({ signal: new AbortController().signal, timeoutMs: 2000 });
  const item = (n: number, id = `C-${n}`): WriteItem => ({
    key: `key-${n}`,
    requestKey: `key-${n}`,
    mayRepeat: false,
    fields: { Customer_Id__c: id, LastName: 'Ada' },
    parentId: undefined,
  });
  async function write(given: Answer[], count = 1): Promise<(Outcome | undefined)[]> {
    answers = given;
    requests = 0;
    heeded = 0;
    const items = Array.from({ length: count }, (_, n) => item(n));
    const outcomes = await client.write('upsert_record', options, items, call());
    return items.map(({ key }) => outcomes.get(key));
  }
  async function writeOne(answer: Answer): Promise<Outcome> {
    const [outcome] = await write([answer]);
    return outcome ?? assert.fail('no outcome');
  }
  async function read(given: Answer, ids: string[]): Promise<(Reading | undefined)[]> {
    answers = [given];
    const items = ids.map((external_id) => ({
      key: external_id,
      id: undefined,
      locator: { external_id },
      parentId: undefined,
      fields: ['LastName'],
    }));
    const readings = await client.read('upsert_record', options, items, call());
    return ids.map((id) => readings.get(id));
  }

  it('pairs results with records by their place', async () => {
    const body = [
      { id: '003A', success: true, errors: [], created: true },
      error('REQUIRED_FIELD_MISSING', 'Required fields are missing: [LastName]'),
      { id: '003C', success: true, errors: [], created: false },
    ];
    const [first, second, third] = await write([{ body }], 3);
    assert.deepEqual(
      [first, third],
      [
        { kind: 'applied', id: '003A' },
        { kind: 'applied', id: '003C' },
      ],
    );
    assert.ok(second?.kind === 'rejected' && second.permanent && second.code === 'REQUIRED_FIELD_MISSING');
    assert.match(second.reason, /\[LastName\]/);
  });
  it('is in doubt about all when there are more or fewer results than records', async () => {
    const yes = { id: '003A', success: true, errors: [] };
    for (const body of [[yes], [yes, yes, yes], [], {}, [yes, 'x']])
      for (const outcome of await write([{ body }], 2)) assert.equal(outcome?.kind, 'ambiguous');
  });
  it('is in doubt about a yes without an id, a no without a reason, and an inner error', async () => {
    for (const result of [
      { success: true, errors: [] },
      { success: false, errors: [] },
      error('UNKNOWN_EXCEPTION'),
    ])
      assert.equal((await writeOne({ body: [result] })).kind, 'ambiguous');
  });
  it('tries again what was locked, and what came into being at the same moment', async () => {
    for (const result of [
      error('UNABLE_TO_LOCK_ROW', 'unable to obtain exclusive access to this record'),
      error(
        'DUPLICATE_VALUE',
        'duplicate value found: Customer_Id__c duplicates value on record with id: 003',
      ),
      error(
        'DUPLICATE_VALUE',
        'duplicate value found: <unknown> duplicates value on record with id: <unknown>',
      ),
    ]) {
      const outcome = await writeOne({ body: [result] });
      assert.ok(outcome.kind === 'rejected' && !outcome.permanent, JSON.stringify(outcome));
    }
  });
  it('takes duplicates and broken rules for a lasting no, by their names', async () => {
    for (const code of [
      'DUPLICATES_DETECTED',
      'DUPLICATE_EXTERNAL_ID',
      'DUPLICATE_VALUE',
      'FIELD_CUSTOM_VALIDATION_EXCEPTION',
    ]) {
      const outcome = await writeOne({ body: [error(code)] });
      assert.ok(outcome.kind === 'rejected' && outcome.permanent && outcome.code === code);
    }
  });
  it('waits a quarter of an hour when the day is used up, and says how far', async () => {
    const headers = { 'sforce-limit-info': 'api-usage=15003/15000' };
    const outcome = await writeOne(
      fault(403, 'REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.', headers),
    );
    assert.ok(outcome.kind === 'throttled' && outcome.retryAfterMs === 900_000);
    assert.match(outcome.reason, /15003\/15000/);
    assert.equal(heeded, 1);
    const many = await writeOne(
      fault(403, 'REQUEST_LIMIT_EXCEEDED', 'ConcurrentPerOrgLongTxn Limit exceeded.'),
    );
    assert.ok(many.kind === 'throttled' && many.retryAfterMs === null);
  });
  it('is unavailable when its session has ended and no other can be had', async () => {
    const outcome = await writeOne(fault(401, 'INVALID_SESSION_ID', `Session ${token} expired or invalid`));
    assert.ok(outcome.kind === 'unavailable' && outcome.code === 'INVALID_SESSION_ID');
    assert.ok(!outcome.reason.includes(token));
    assert.deepEqual([requests, heeded], [1, 1]);
  });
  it('is unavailable without API access, but not for a permission on one object', async () => {
    assert.equal((await writeOne(fault(403, 'API_DISABLED_FOR_ORG'))).kind, 'unavailable');
    const outcome = await writeOne(fault(403, 'INSUFFICIENT_ACCESS'));
    assert.ok(outcome.kind === 'rejected' && outcome.permanent);
  });
  it('asks once about a batch that is refused for what all have in common', async () => {
    for (const answer of [
      fault(
        404,
        'NOT_FOUND',
        'Provided external ID field does not exist or is not accessible: Customer_Id__c',
      ),
      fault(400, 'INVALID_FIELD', "No such column 'LastName' on sobject of type Contact"),
    ]) {
      for (const outcome of await write([answer], 50))
        assert.ok(outcome?.kind === 'rejected' && outcome.permanent);
      assert.equal(requests, 1);
    }
  });
  it('looks for the one row that has a batch refused as a whole', async () => {
    const refused = fault(
      400,
      'INVALID_FIELD',
      'Foreign key external ID: A-1 not found for field X__c in entity Account',
    );
    const [first, second] = await write([refused, { body: [{ id: '003A', success: true }] }, refused], 2);
    assert.equal(first?.kind, 'applied');
    assert.ok(second?.kind === 'rejected' && second.permanent);
  });
  it('has written nothing when a login brings no token', async () => {
    const pair = { client_id: 'key', client_secret: new Secret(token) };
    const settings = connector.schema.parse({ ...pair, instance_url });
    const stranger = await connector.open(settings, { pass: async () => () => {}, heed: () => {} });
    answers = [{ body: { token_type: 'Bearer' } }];
    const outcome = (await stranger.write('upsert_record', options, [item(0)], call())).get('key-0');
    assert.ok(outcome?.kind === 'rejected' && !outcome.permanent);
  });
  it('sends no more of a batch that got no answer', async () => {
    answers = [{ status: 500, body: [{ errorCode: 'UNKNOWN_EXCEPTION', message: 'no' }] }];
    requests = 0;
    const outcomes = await client.write(
      'upsert_record',
      options,
      [item(0, 'same'), item(1, 'SAME ')],
      call(),
    );
    assert.deepEqual(
      [outcomes.get('key-0')?.kind, outcomes.get('key-1')?.kind, requests],
      ['ambiguous', 'throttled', 1],
    );
  });

  const record = (Id: string, Customer_Id__c: string) => ({ Id, Customer_Id__c, LastName: Id });
  it('reads records by their names, in whatever order and case they come', async () => {
    const body = { done: true, records: [record('B', 'c-2'), record('A', 'C-1'), record('a', 'c-1')] };
    const [one, two, three] = await read({ body }, ['C-1', 'C-2', 'C-3']);
    assert.ok(one?.kind === 'found' && one.id === 'A');
    assert.ok(two?.kind === 'found' && two.id === 'B');
    assert.deepEqual(three, { kind: 'absent' });
  });
  it('takes nothing for absent in an answer that is not whole', async () => {
    const [one, two] = await read({ body: { done: false, records: [record('A', 'C-1')] } }, ['C-1', 'C-2']);
    assert.deepEqual([one?.kind, two?.kind], ['found', 'failed']);
    for (const body of [{}, [], { done: true, records: [{ Id: 1 }] }])
      assert.equal((await read({ body }, ['C-1']))[0]?.kind, 'failed');
  });
  it('can not read one of several records that bear the same external id', async () => {
    const body = { done: true, records: [record('A', 'C-1'), record('B', 'C-1')] };
    assert.equal((await read({ body }, ['C-1']))[0]?.kind, 'unreadable');
  });
});
