import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type FastifyInstance, fastify } from 'fastify';
import { Secret } from '../../src/config/secret.ts';
import type { Client, Outcome, Reading, WriteItem } from '../../src/connectors/connector.ts';
import { connector } from '../../src/connectors/hubspot/index.ts';

/** Answers the sandbox never gives, but HubSpot does or may. */
interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body: unknown;
}

describe('what HubSpot may answer', () => {
  let server: FastifyInstance;
  let client: Client;
  /** Taken one per request; the last one stays. */
  let answers: Answer[] = [];
  const sent: { inputs: { id: string; objectWriteTraceId: string }[] }[] = [];
  const token = 'pat-na1-secret';

  before(async () => {
    server = fastify();
    server.all('/*', (request, reply) => {
      sent.push(request.body as never);
      const {
        status = 200,
        headers = {},
        body,
      } = (answers.length > 1 ? answers.shift() : answers[0]) as Answer;
      return reply
        .code(status)
        .headers(headers)
        .type('application/json')
        .send(typeof body === 'string' ? body : JSON.stringify(body));
    });
    const base_url = await server.listen({ host: '127.0.0.1', port: 0 });
    const settings = connector.schema.parse({ access_token: new Secret(token), base_url });
    client = await connector.open(settings, { pass: async () => () => {}, heed: () => {} });
  });
  after(() => server.close());

  const options = { id_property: 'customer_id' };
  const call = () => ({ signal: new AbortController().signal, timeoutMs: 2000 });
  const item = (n: number): WriteItem => ({
    key: `key-${n}`,
    requestKey: `key-${n}`,
    mayRepeat: false,
    fields: { customer_id: `C-${n}`, name: `Acme ${n}` },
    parentId: undefined,
  });
  async function write(given: Answer[], count = 1): Promise<(Outcome | undefined)[]> {
    answers = given;
    sent.length = 0;
    const items = Array.from({ length: count }, (_, n) => item(n));
    const outcomes = await client.write('upsert_company', options, items, call());
    return items.map(({ key }) => outcomes.get(key));
  }
  async function read(given: Answer[], id?: string): Promise<Reading | undefined> {
    answers = given;
    sent.length = 0;
    const asked = {
      key: 'key-0',
      id,
      locator: { customer_id: 'C-0' },
      parentId: undefined,
      fields: ['name'],
    };
    return (await client.read('upsert_company', options, [asked], call())).get('key-0');
  }
  const batch = (results: object[], errors: object[] = []) => ({
    status: 'COMPLETE',
    results,
    numErrors: errors.length,
    errors,
    startedAt: '2026-01-01T00:00:00.000Z',
    completedAt: '2026-01-01T00:00:01.000Z',
  });
  const problem = (message: string, more: object = {}) => ({
    body: { status: 'error', message, correlationId: 'c', category: 'VALIDATION_ERROR', ...more },
  });

  it('maps results by their unique value when they echo no trace id', async () => {
    const results = [
      { id: '12', properties: { customer_id: 'C-1' } },
      { id: '11', properties: { customer_id: 'c-0' } },
    ];
    const outcomes = await write([{ body: batch(results) }], 2);
    assert.deepEqual(outcomes, [
      { kind: 'applied', id: '11' },
      { kind: 'applied', id: '12' },
    ]);
  });
  it('never maps by position: a result that names nothing leaves its item in doubt', async () => {
    const [outcome] = await write([{ body: batch([{ id: '11', properties: {} }]) }]);
    assert.equal(outcome?.kind, 'ambiguous');
  });
  it('finds the errors of an answer that says 200', async () => {
    const errors = [
      { category: 'VALIDATION_ERROR', message: 'no', context: { objectWriteTraceId: ['key-1'] } },
    ];
    const results = [{ id: '11', objectWriteTraceId: 'key-0' }];
    const outcomes = await write([{ status: 200, body: batch(results, errors) }], 2);
    assert.deepEqual(
      outcomes.map((outcome) => outcome?.kind),
      ['applied', 'rejected'],
    );
  });
  it('sends items again alone when an error names none of them', async () => {
    const errors = [{ status: 'error', category: 'VALIDATION_ERROR', message: 'bad one' }];
    const outcomes = await write(
      [
        { status: 207, body: batch([{ id: '10', objectWriteTraceId: 'key-0' }], errors) },
        { status: 207, body: batch([], errors) },
        { status: 200, body: batch([{ id: '11', objectWriteTraceId: 'key-1' }]) },
        { status: 207, body: batch([], errors) },
      ],
      3,
    );
    assert.deepEqual(
      outcomes.map((outcome) => outcome?.kind),
      ['applied', 'applied', 'rejected'],
    );
    assert.deepEqual(
      sent.map(({ inputs }) => inputs.map((input) => input.objectWriteTraceId)),
      [['key-0', 'key-1', 'key-2'], ['key-1', 'key-2'], ['key-1'], ['key-2']],
    );
  });
  it('stops sending when half of a batch is throttled, and says that the rest was not sent', async () => {
    const limited = { status: 429, body: { message: 'slow down', policyName: 'TEN_SECONDLY_ROLLING' } };
    const refused = { status: 400, ...problem('one of them is bad') };
    const fine = { body: batch([{ id: '10', objectWriteTraceId: 'key-0' }]) };
    const outcomes = await write([refused, refused, fine, limited], 3);
    assert.deepEqual(
      outcomes.map((outcome) => outcome?.kind),
      ['applied', 'throttled', 'throttled'],
    );
    assert.equal(sent.length, 4);
  });
  it('treats a conflict as worth another attempt, and any other refusal as final', async () => {
    const [conflict] = await write([{ status: 409, ...problem('exists', { category: 'CONFLICT' }) }]);
    assert.ok(conflict?.kind === 'rejected' && !conflict.permanent && conflict.code === 'CONFLICT');
    for (const status of [400, 404, 413, 422]) {
      const [outcome] = await write([{ status, ...problem('no') }]);
      assert.ok(outcome?.kind === 'rejected' && outcome.permanent, String(status));
    }
  });

  const waits: [string, Answer, number | null][] = [
    ['Retry-After in seconds', { status: 429, headers: { 'retry-after': '3' }, body: {} }, 3000],
    ['the ten-second policy', { status: 429, body: { policyName: 'TEN_SECONDLY_ROLLING' } }, 10_000],
    ['the daily policy', { status: 429, body: { policyName: 'DAILY' } }, 900_000],
    ['no policy at all', { status: 429, body: { category: 'RATE_LIMITS', message: 'secondly limit' } }, null],
    ['a locked record', { status: 423, headers: { 'retry-after': '2' }, body: {} }, 2000],
    ['a migration', { status: 477, headers: { 'retry-after': '86400' }, body: {} }, 86_400_000],
  ];
  for (const [name, answer, retryAfterMs] of waits) {
    it(`waits as long as told by ${name}`, async () => {
      const [outcome] = await write([answer]);
      assert.ok(outcome?.kind === 'throttled', outcome?.kind);
      assert.equal(outcome.retryAfterMs, retryAfterMs);
    });
  }
  it('waits until the date of a Retry-After', async () => {
    const date = new Date(Date.now() + 60_000).toUTCString();
    const [outcome] = await write([{ status: 429, headers: { 'retry-after': date }, body: {} }]);
    assert.ok(outcome?.kind === 'throttled' && outcome.retryAfterMs !== null);
    assert.ok(outcome.retryAfterMs > 50_000 && outcome.retryAfterMs <= 60_000, String(outcome.retryAfterMs));
  });
  it('is in doubt after an answer that is cut short, or that has no results', async () => {
    for (const body of ['{"status":"COMPLETE","resul', '', '[]', '{"status":"COMPLETE"}']) {
      assert.equal((await write([{ body }]))[0]?.kind, 'ambiguous', body);
      assert.equal((await read([{ body }]))?.kind, 'failed', body);
    }
  });
  it('hints at a missing scope, and cannot read without one', async () => {
    const forbidden = { status: 403, ...problem('This app has no access', { category: 'MISSING_SCOPES' }) };
    const [outcome] = await write([forbidden]);
    assert.ok(outcome?.kind === 'unavailable' && /scope/.test(outcome.reason));
    assert.equal((await read([forbidden]))?.kind, 'unreadable');
  });
  it('quotes HubSpot without the token, on one line, and not at any length', async () => {
    const [outcome] = await write([{ status: 400, ...problem(`bad\n token ${token} ${'x'.repeat(5000)}`) }]);
    assert.ok(outcome?.kind === 'rejected');
    assert.doesNotMatch(outcome.reason, new RegExp(token));
    assert.match(outcome.reason, /bad token \*\*\* x/);
    assert.ok(outcome.reason.length < 400);
  });

  it('takes for absent only what HubSpot names as missing', async () => {
    const missing = { category: 'OBJECT_NOT_FOUND', message: 'not found', context: { ids: ['C-0'] } };
    assert.equal((await read([{ status: 207, body: batch([], [missing]) }]))?.kind, 'absent');
    assert.equal((await read([{ status: 200, body: batch([]) }]))?.kind, 'failed');
    const archived = [{ id: '10', properties: { customer_id: 'C-0' }, archived: true }];
    assert.equal((await read([{ status: 200, body: batch(archived) }]))?.kind, 'absent');
  });
  it('finds a record under the id it had before a merge', async () => {
    const results = [{ id: '99', properties: { name: 'Acme', hs_merged_object_ids: '7;10' } }];
    const reading = await read([{ body: batch(results) }], '10');
    assert.deepEqual(reading, { kind: 'found', id: '99', fields: { name: 'Acme' } });
  });
  it('reads an empty property as empty', async () => {
    const results = [{ id: '10', properties: { customer_id: 'C-0', name: null } }];
    assert.deepEqual(await read([{ body: batch(results) }], '10'), {
      kind: 'found',
      id: '10',
      fields: { name: '' },
    });
  });

  const ada = { body: batch([{ id: '7', properties: { email: 'ada@b.example' } }]) };
  const byEmail = { list_id: '42', object: 'contacts', id_property: 'email' };
  async function member(action: string, given: Answer[]): Promise<Reading | undefined> {
    answers = [ada, ...given];
    const locator = { member: 'ada@b.example' };
    const asked = { key: 'key-0', id: undefined, locator, parentId: undefined, fields: ['member'] };
    return (await client.read(action, byEmail, [asked], call())).get('key-0');
  }
  it('takes a record that an answer about lists leaves out for one in no list, unless it tells of an error', async () => {
    const told = { recordId: 7, recordListMemberships: [{ listId: 42, listVersion: 1 }] };
    assert.equal((await member('add_to_list', [{ body: batch([told]) }]))?.kind, 'found');
    assert.equal((await member('remove_from_list', [{ body: batch([told]) }]))?.kind, 'absent');
    assert.equal((await member('remove_from_list', [{ body: batch([]) }]))?.kind, 'found');
    const errors = [{ category: 'VALIDATION_ERROR', message: 'no', context: { recordId: ['8'] } }];
    assert.equal((await member('remove_from_list', [{ body: batch([], errors) }]))?.kind, 'failed');
    assert.equal((await member('remove_from_list', [{ body: { results: null } }]))?.kind, 'failed');
  });
  it('is in doubt when the answer does not tell whom a list took', async () => {
    for (const [body, kind] of [
      [{}, 'ambiguous'],
      [{ recordsIdsAdded: [7], recordIdsRemoved: [], recordIdsMissing: [] }, 'applied'],
      [{ recordsIdsAdded: [], recordIdsRemoved: [], recordIdsMissing: ['7'] }, 'rejected'],
      [{ recordsIdsAdded: [], recordIdsRemoved: [], recordIdsMissing: [] }, 'already'],
    ] as const) {
      answers = [ada, { body }];
      const one = { ...item(0), fields: { member: 'ada@b.example' } };
      const outcomes = await client.write('add_to_list', byEmail, [one], call());
      assert.equal(outcomes.get('key-0')?.kind, kind, JSON.stringify(body));
    }
  });
  it('turns the page when a record is on more others than fit in one answer', async () => {
    const page = (ids: number[], after?: string) => ({
      body: batch([
        {
          from: { id: '7' },
          to: ids.map((toObjectId) => ({ toObjectId, associationTypes: [] })),
          ...(after === undefined ? {} : { paging: { next: { after } } }),
        },
      ]),
    });
    const company = { body: batch([{ id: '99', properties: {} }]) };
    const options = {
      from_object: 'contacts',
      from_property: 'email',
      to_object: 'companies',
      to_property: 'hs_object_id',
    };
    answers = [ada, company, page([1, 2], 'two'), page([99])];
    sent.length = 0;
    const locator = { from: 'ada@b.example', to: '99' };
    const asked = { key: 'key-0', id: undefined, locator, parentId: undefined, fields: ['from', 'to'] };
    const reading = (await client.read('associate', options, [asked], call())).get('key-0');
    assert.deepEqual(reading, { kind: 'found', id: '7:99', fields: locator });
    assert.deepEqual(sent.at(-1)?.inputs, [{ id: '7', after: 'two' }]);
  });
});
