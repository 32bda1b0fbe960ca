import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Secret } from '../../src/config/secret.ts';
import type { CallOptions, Client, Fields, Outcome, Sandbox } from '../../src/connectors/connector.ts';
import { connector } from '../../src/connectors/zendesk/index.ts';

let sandbox: Sandbox;
let client: Client;
const call = (timeoutMs = 5_000): CallOptions => ({ signal: new AbortController().signal, timeoutMs });
const write = (action: string, all: Fields[], options = call()) =>
  client.write(
    action,
    {},
    all.map((fields, n) => ({
      key: `${action}-${n}`,
      requestKey: `${action}-${n}`,
      mayRepeat: false,
      parentId: undefined,
      fields,
    })),
    options,
  );
const set = async (all: Fields[], options = call()) => [
  ...(await write('set_ticket', all, options)).values(),
];
const kinds = (outcomes: Outcome[]) => outcomes.map(({ kind }) => kind);
const low = (ids: string[]) => ids.map((ticket_id): Fields => ({ ticket_id, priority: 'low' }));
const posts = (path: string) => sandbox.requests().filter((one) => one.path === `/api/v2/${path}`).length;
const priorities = () => sandbox.records().map(({ fields }) => fields.priority);

async function newTickets(count: number): Promise<string[]> {
  const fields = Array.from({ length: count }, (_, n) => ({ body: `Ticket ${n}` }));
  const outcomes = await write('create_ticket', fields);
  return [...outcomes.values()].map((one) => (one.kind === 'applied' ? one.id : assert.fail(one.kind)));
}

describe('many tickets of zendesk', () => {
  beforeEach(async () => {
    sandbox = await connector.sandbox({ rateLimit: null });
    const { api_token = '', ...rest } = sandbox.settings;
    const settings = connector.schema.parse({ ...rest, api_token: new Secret(api_token) });
    client = await connector.open(settings, { pass: async () => () => {}, heed: () => {} });
  });
  afterEach(() => sandbox.close());

  test('a hundred tickets are one job, and each gets its own outcome', async () => {
    const ids = await newTickets(100);
    const outcomes = await set(low(ids));
    assert.deepEqual(
      outcomes.map((one) => one.kind === 'applied' && one.id),
      ids,
    );
    assert.deepEqual([posts('tickets/update_many'), posts(`tickets/${ids[0]}`)], [1, 0]);
    assert.deepEqual(new Set(priorities()), new Set(['low']));
  });

  test('a ticket that a job refused goes alone, and is refused in words of its own', async () => {
    const [one = '', other = ''] = await newTickets(2);
    const outcomes = await set(low([one, '999', other]));
    assert.deepEqual(kinds(outcomes).toSorted(), ['applied', 'applied', 'rejected']);
    assert.equal(posts('tickets/999'), 1);
  });

  test('the same ticket twice in a batch is written in order', async () => {
    const [id = '', other = ''] = await newTickets(2);
    await set([{ ticket_id: id, priority: 'low' }, ...low([other]), { ticket_id: id, priority: 'high' }]);
    assert.deepEqual(priorities(), ['high', 'low']);
  });

  test('a job that is not over in time leaves its tickets in doubt, and what comes after it waits', async () => {
    const ids = await newTickets(2);
    sandbox.inject({ kind: 'slow', delayMs: 2_000, match: 'job_statuses' });
    const outcomes = await set(low([...ids, ...ids.slice(0, 1)]), call(400));
    assert.deepEqual(kinds(outcomes), ['ambiguous', 'ambiguous', 'throttled']);
  });

  test('what names no ticket is refused before anything is sent', async () => {
    const [outcome] = await set(low(['SUP-7']));
    assert.ok(outcome?.kind === 'rejected' && outcome.code === 'ticket_id');
    assert.equal(sandbox.requests().length, 0);
  });
});
