import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { inspect } from 'node:util';
import { parse } from 'yaml';
import { Secret } from '../../src/config/secret.ts';
import type { CallOptions, Client, Fields, Outcome, Reading } from '../../src/connectors/connector.ts';
import { connector } from '../../src/connectors/http/index.ts';
import { actionsOf } from '../../src/connectors/index.ts';

/** What the API answers, by `METHOD /path`, the most precise first; requests as they arrived. */
type Answer = { status?: number; headers?: Record<string, string>; body?: unknown; text?: string };
let answers: Record<string, Answer | Answer[] | ((response: ServerResponse) => void)>;
let requests: {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
  port: number;
}[];
let server: Server;
let url: string;

beforeEach(async () => {
  answers = {};
  requests = [];
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { method = '', url: path = '', headers, socket } = request;
    requests.push({ method, url: path, headers, body, port: socket.remotePort ?? 0 });
    const known = answers[`${method} ${path}`] ?? answers[method];
    const answer = Array.isArray(known) ? known.shift() : known;
    if (typeof answer === 'function') return answer(response);
    const { status = 200, headers: more = {}, text, body: json } = answer ?? { status: 404, text: '' };
    response.writeHead(status, { 'content-type': 'application/json', ...more });
    response.end(text ?? JSON.stringify(json));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** With what JSON and addresses escape. */
const token = 'erp-"secret"/4711';
const call = (timeoutMs = 2_000): CallOptions => ({ signal: new AbortController().signal, timeoutMs });

/** A connection with the action `order`, whose description `changes` lays its keys over. */
function settingsOf(changes: string, connection: Record<string, unknown> = {}): Record<string, unknown> {
  const { read, write, ...rest } = parse(changes || '{}');
  const order = {
    fields: { reference: '/reference', note: { read: '/note', required: false } },
    write: { path: '/orders', body: { reference: '{reference}', note: '{note}' }, id: '/id', ...write },
    read: {
      by_id: { path: '/orders/{id}' },
      find: { path: '/orders', query: { reference: '{reference}' }, items: '/orders', id: '/id' },
      ...read,
    },
    ...rest,
  };
  if (order.read.find === null) Reflect.deleteProperty(order.read, 'find');
  return { base_url: `${url}/`, actions: { order }, ...connection };
}

async function open(changes = '', connection: Record<string, unknown> = {}): Promise<Client> {
  const settings = settingsOf(changes, { bearer_token: new Secret(token), ...connection });
  return connector.open(connector.schema.parse(settings), { pass: async () => () => {}, heed: () => {} });
}

async function write(
  client: Client,
  fields: Fields = { reference: 'R-1' },
  timeoutMs?: number,
): Promise<Outcome> {
  const item = { key: 'key-1', requestKey: 'key-1', mayRepeat: false, fields, parentId: undefined };
  const outcomes = await client.write('order', {}, [item], call(timeoutMs));
  await client.close();
  return outcomes.get('key-1') ?? assert.fail('no outcome');
}

async function read(
  changes: string,
  id?: string,
  fields: Fields = { reference: 'R-1', note: 'x' },
): Promise<Reading> {
  const client = await open(changes);
  const locator =
    actionsOf(connector, settingsOf(changes))?.order?.locate(fields, {}) ?? assert.fail('no action');
  const item = { key: 'key-1', id, locator, parentId: undefined, fields: Object.keys(fields) };
  const readings = await client.read('order', {}, [item], call());
  await client.close();
  return readings.get('key-1') ?? assert.fail('no reading');
}

describe('what an answer to a write means', () => {
  /** The answer, what the description says, and the outcome. */
  const cases: [string, Answer, string, string][] = [
    ['201 with an id', { status: 201, body: { id: 7 } }, '', 'applied 7'],
    [
      '200 with an id of 19 digits',
      { text: '{"id": 9007199254740993123}' },
      '',
      'applied 9007199254740993123',
    ],
    ['202 with an id', { status: 202, body: { id: 7 } }, '', 'applied 7'],
    [
      '200 where 201 is wanted',
      { status: 200, body: { id: 7 } },
      'write: { success: { status: 201 } }',
      'ambiguous',
    ],
    ['200 without an id', { body: { ok: true } }, '', 'ambiguous'],
    ['200 with an empty id', { body: { id: '' } }, '', 'ambiguous'],
    ['204 with nothing', { status: 204, text: '' }, '', 'ambiguous'],
    [
      '204 with nothing, the id being a field',
      { status: 204, text: '' },
      'write: { id: "{reference}" }',
      'applied R-1',
    ],
    [
      '200 with HTML, the id being a field',
      { text: '<p>Log in</p>' },
      'write: { id: "{reference}" }',
      'ambiguous',
    ],
    ['200 with half an answer', { text: '{"id": 7' }, '', 'ambiguous'],
    [
      '200 that holds what is wanted',
      { body: { id: 7, ok: true } },
      'write: { success: { where: { /ok: true } } }',
      'applied 7',
    ],
    [
      '200 that says no',
      { body: { id: 7, ok: false, message: 'closed' } },
      'write: { success: { where: { /ok: true } } }',
      'ambiguous',
    ],
    [
      '200 that says no, which is a refusal',
      { body: { id: 7, ok: false, message: 'closed' } },
      'write: { success: { where: { /ok: true } }, refused: { where: { /ok: false } } }',
      'rejected http_200 for good: 200 closed',
    ],
    [
      '500 that says no, which is not what the rule is about',
      { status: 500, body: { ok: false } },
      'write: { refused: { where: { /ok: false } } }',
      'ambiguous',
    ],
    [
      '200 that says later',
      { body: { state: 'locked' } },
      'write: { transient: { where: { /state: locked } } }',
      'rejected http_200 for now: 200',
    ],
    [
      '200 that is a success and a refusal, which read-back will tell',
      { body: { id: 7, ok: true } },
      'write: { refused: { where: { /ok: true } } }',
      'applied 7',
    ],
    [
      '200 that does not say',
      { body: { id: 7 } },
      'write: { success: { where: { /ok: true } } }',
      'ambiguous',
    ],
    ['200 with an error', { body: { error: 'internal' } }, 'write: { error: /error }', 'ambiguous'],
    [
      '400',
      { status: 400, body: { errors: [{ message: 'bad reference' }] } },
      '',
      'rejected http_400 for good: 400 bad reference',
    ],
    [
      '404 from a proxy',
      { status: 404, text: '<h1>nginx</h1>' },
      '',
      'rejected http_404 for good: 404 a page of HTML',
    ],
    [
      '422 in plain text',
      { status: 422, text: 'not like this' },
      '',
      'rejected http_422 for good: 422 not like this',
    ],
    ['409 of class none', { status: 409, body: {} }, '', 'rejected http_409 for good: 409'],
    ['409 of an upsert', { status: 409, body: {} }, 'idempotency: upsert', 'ambiguous'],
    [
      '409 made transient',
      { status: 409, body: {} },
      'write: { transient: { status: 409 } }',
      'rejected http_409 for now: 409',
    ],
    ['423', { status: 423, body: {} }, '', 'rejected http_423 for now: 423'],
    ['408', { status: 408, body: {} }, '', 'ambiguous'],
    ['500', { status: 500, body: {} }, '', 'ambiguous'],
    ['503', { status: 503, body: {} }, '', 'ambiguous'],
    [
      '503 made transient',
      { status: 503, body: {} },
      'write: { transient: { status: [503] } }',
      'rejected http_503 for now: 503',
    ],
    [
      '503 with Retry-After',
      { status: 503, headers: { 'retry-after': '9' }, body: {} },
      'write: { transient: { status: [503] } }',
      'throttled 9000',
    ],
    ['429', { status: 429, headers: { 'retry-after': '3' }, body: {} }, '', 'throttled 3000'],
    ['401', { status: 401, body: {} }, '', 'unavailable http_401'],
    ['403', { status: 403, body: {} }, '', 'unavailable http_403'],
    [
      '403 made a refusal',
      { status: 403, body: {} },
      'write: { refused: { status: 403 } }',
      'rejected http_403 for good: 403',
    ],
    [
      'a redirect that may follow a write',
      { status: 302, headers: { location: '/login' }, body: {} },
      '',
      'ambiguous',
    ],
    [
      'a redirect that has not written',
      { status: 308, headers: { location: '/v2/orders' }, body: {} },
      '',
      'unavailable http_308',
    ],
  ];
  for (const [what, answer, changes, expected] of cases)
    test(what, async () => {
      answers = { POST: answer };
      const outcome = await write(await open(changes));
      assert.equal(said(outcome), expected, JSON.stringify(outcome));
      assert.equal(requests.length, 1);
    });

  function said(outcome: Outcome): string {
    if (outcome.kind === 'applied') return `applied ${outcome.id}`;
    if (outcome.kind === 'throttled') return `throttled ${outcome.retryAfterMs}`;
    if (outcome.kind === 'unavailable') return `unavailable ${outcome.code}`;
    if (outcome.kind !== 'rejected') return outcome.kind;
    return `rejected ${outcome.code} for ${outcome.permanent ? 'good' : 'now'}: ${outcome.reason}`;
  }

  test('a value that cannot stand in the path is refused before anything is sent', async () => {
    const changes = 'write: { method: PUT, path: "/orders/{reference}" }';
    for (const reference of ['..', '.', '\ud800'])
      assert.deepEqual(
        said(await write(await open(changes), { reference })).slice(0, 22),
        'rejected path for good',
      );
    assert.deepEqual(requests, []);
  });
});

describe('what an answer to a read means', () => {
  const ours = { id: 7, reference: 'R-1', note: 'x' };
  const match =
    'read: { find: { path: /orders, query: { reference: "{reference}" }, items: /orders, id: /id, match: [note], page: 3 } }';
  test('404 is absent only when the search agrees', async () => {
    answers = {
      'GET /orders/7': { status: 404, text: '' },
      'GET /orders?reference=R-1': { body: { orders: [] } },
    };
    assert.deepEqual(await read('', '7'), { kind: 'absent' });
    answers['GET /orders?reference=R-1'] = { body: { orders: [ours] } };
    assert.deepEqual(await read('', '7'), {
      kind: 'found',
      id: '7',
      fields: { reference: 'R-1', note: 'x' },
    });
    answers['GET /orders?reference=R-1'] = { body: { orders: [{ ...ours, id: 8 }] } };
    assert.deepEqual(await read('', '7'), { kind: 'absent' });
  });
  test('404 without a search is not believed, unless writing again does no harm', async () => {
    answers = { 'GET /orders/7': { status: 404, text: '' } };
    assert.equal((await read('read: { find: null }', '7')).kind, 'unreadable');
    assert.equal((await read('read: { find: null }')).kind, 'unreadable', 'nothing is known to ask for');
  });
  test('a page of HTML never means absent', async () => {
    answers = {
      'GET /orders/7': { status: 404, headers: { 'content-type': 'text/html' }, text: 'Not found' },
      'GET /orders?reference=R-1': { body: { orders: [] } },
    };
    assert.equal((await read('', '7')).kind, 'failed');
  });
  test('404 to a search is no empty list', async () => {
    assert.equal((await read('')).kind, 'failed');
  });
  test('a list of other records means that the API does not search by it', async () => {
    answers = { GET: { body: { orders: [{ ...ours, reference: 'R-2' }] } } };
    assert.equal((await read('')).kind, 'failed');
    answers = { GET: { body: { orders: [{ ...ours, reference: 'R-2' }, ours] } } };
    assert.equal((await read('')).kind, 'found');
  });
  test('of several records `match` tells which is ours', async () => {
    const others = [{ ...ours, id: 5, note: 'other' }, ours];
    answers = { GET: { body: { orders: others } } };
    const reading = await read(match);
    assert.ok(reading.kind === 'found' && reading.id === '7');
    answers = { GET: { body: { orders: others.slice(0, 1) } } };
    assert.equal((await read(match)).kind, 'absent');
    answers = { GET: { body: { orders: [others[0], others[0], others[0]] } } };
    assert.equal((await read(match)).kind, 'failed', 'a full page may not be all');
  });
  test('several records that could be ours are for a person to tell apart', async () => {
    answers = { GET: { body: { orders: [ours, { ...ours, id: 8 }] } } };
    assert.equal((await read('')).kind, 'unreadable');
  });
  test('the fields under match are kept as digests', () => {
    const locator = actionsOf(connector, settingsOf(match))?.order?.locate(
      { reference: 'R-1', note: 'private' },
      {},
    );
    assert.deepEqual(Object.keys(locator ?? {}), ['reference', 'match:note']);
    assert.ok(!JSON.stringify(locator).includes('private'));
  });
  test('an answer in another shape is not taken for one', async () => {
    for (const body of [{}, { orders: {} }, { orders: [7] }, [], null, { orders: [{ reference: 'R-1' }] }]) {
      answers = { GET: { body } };
      assert.equal((await read('')).kind, 'failed', JSON.stringify(body));
    }
    answers = { GET: { body: [1] } };
    assert.equal((await read('', '7')).kind, 'failed');
  });
  test('`absent` and `success` replace what is usual', async () => {
    const rules =
      'read: { by_id: { path: "/orders/{id}", success: { where: { /ok: true } }, absent: { where: { /code: none } } }, find: { path: /orders, query: { reference: "{reference}" }, items: /orders, id: /id, absent: { where: { /code: none } } } }';
    answers = { GET: { body: { ok: false, code: 'none' } } };
    assert.equal((await read(rules, '7')).kind, 'absent');
    answers = { GET: { body: { ok: false, code: 'busy' } } };
    assert.equal((await read(rules, '7')).kind, 'failed');
  });
  test('redirects are not followed', async () => {
    answers = {
      'GET /orders/7': { status: 302, headers: { location: '/orders/8' }, body: {} },
      'GET /orders/8': { body: ours },
    };
    assert.equal((await read('', '7')).kind, 'failed');
    assert.deepEqual(
      requests.map((one) => one.url),
      ['/orders/7'],
    );
  });
});

describe('the transport', () => {
  test('an endless answer is cut off', async () => {
    answers = {
      POST: (response) => {
        const megabyte = Buffer.alloc(1024 * 1024, 'x');
        const more = (): void => {
          while (!response.destroyed && response.write(megabyte));
          if (!response.destroyed) response.once('drain', more);
        };
        more();
      },
    };
    const outcome = await write(await open(), undefined, 20_000);
    assert.ok(
      outcome.kind === 'ambiguous' && /larger than 4 MB/.test(outcome.reason),
      JSON.stringify(outcome),
    );
  });

  test('an answer that drips does not outlast the deadline', async () => {
    answers = {
      POST: (response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const timer = setInterval(() => response.write(' '), 20);
        response.once('close', () => clearInterval(timer));
      },
    };
    const outcome = await write(await open(), undefined, 200);
    assert.ok(outcome.kind === 'ambiguous' && /200 ms/.test(outcome.reason), JSON.stringify(outcome));
  });

  test('a write that must not be repeated has a connection of its own, others share one', async () => {
    answers = { POST: { body: { id: 7 } } };
    for (const [changes, ports] of [
      ['', 3],
      ['idempotency: upsert', 1],
    ] as const) {
      requests = [];
      const client = await open(changes);
      for (const key of ['a', 'b', 'c']) {
        const item = {
          key,
          requestKey: key,
          mayRepeat: false,
          fields: { reference: key },
          parentId: undefined,
        };
        await client.write('order', {}, [item], call());
      }
      await client.close();
      assert.equal(new Set(requests.map((one) => one.port)).size, ports);
    }
  });

  test('a metadata address is refused before anything is connected, unless it is allowed', async () => {
    const far = { base_url: 'http://169.254.169.254/latest', actions: settingsOf('').actions };
    const refused = connector.schema.safeParse(far);
    assert.match(String(refused.error), /link-local or metadata address/);
    assert.ok(connector.schema.safeParse({ ...far, link_local: true }).success);
    // Had it not been seen in the settings, the connection itself would be refused.
    const settings = connector.schema.parse({ ...far, link_local: true });
    const client = await connector.open(
      { ...settings, link_local: false },
      { pass: async () => () => {}, heed: () => {} },
    );
    const outcome = await write(client);
    assert.ok(outcome.kind === 'unavailable' && outcome.code === 'address_refused');
  });

  test('credentials are sent the way they are given, and never told, even when the API repeats them', async () => {
    const login = Buffer.from(`reader:${token}`).toString('base64');
    const ways: [Record<string, unknown>, string, string][] = [
      [{ bearer_token: new Secret(token) }, 'authorization', `Bearer ${token}`],
      [{ username: 'reader', password: new Secret(token) }, 'authorization', `Basic ${login}`],
      [{ headers: { 'X-Api-Key': new Secret(token) } }, 'x-api-key', token],
      [{ headers: { Authorization: new Secret(`Token ${token}`) } }, 'authorization', `Token ${token}`],
    ];
    for (const [credentials, header, value] of ways) {
      const settings = connector.schema.parse(settingsOf('write: { error: /why }', credentials));
      answers = { POST: { status: 400, body: { why: { got: value, url: encodeURIComponent(value) } } } };
      const client = await connector.open(settings, { pass: async () => () => {}, heed: () => {} });
      const outcome = await write(client);
      assert.equal(requests.at(-1)?.headers[header], value);
      const told = inspect([outcome, client, settings], { depth: 12, showHidden: true });
      for (const secret of [token, login]) assert.ok(!told.includes(secret), told);
      assert.ok(outcome.kind === 'rejected' && outcome.reason.includes('***'));
      assert.ok(!outcome.reason.includes('4711'), outcome.reason);
    }
  });

  test('everything it writes and reads passes one base path', async () => {
    answers = { POST: { body: { id: 7 } } };
    await write(await open('', { base_url: `${url}/api/v1/` }));
    assert.deepEqual(
      requests.map((one) => [one.url, one.headers['content-type'], one.body]),
      [['/api/v1/orders', 'application/json', '{"reference":"R-1"}']],
    );
  });
});

describe('a batch', () => {
  const changes = `
idempotency: upsert
fields: { reference: /reference }
write:
  body: { ref: "{reference}" }
  batch: { max: 10, body: { all: "{items}" }, results: /results, match: { /ref: "{reference}" } }
  success: { where: { /ok: true } }
  refused: { where: { /ok: false } }
  error: /why`;
  const items = (...references: string[]) =>
    references.map((reference, index) => ({
      key: `${index}`,
      requestKey: `${index}`,
      mayRepeat: false,
      fields: { reference },
      parentId: undefined,
    }));
  const batch = async (...references: string[]) => {
    const client = await open(changes);
    const outcomes = await client.write('order', {}, items(...references), call());
    await client.close();
    return references.map((_, index) => outcomes.get(`${index}`)?.kind);
  };
  const bodies = () =>
    requests.map((one) => JSON.parse(one.body).all.map((item: { ref: string }) => item.ref));

  test('is mapped by its results, in whatever order; what is missing is in doubt', async () => {
    const results = [
      { ref: 'c', ok: false, why: 'no' },
      { ref: 'z', ok: true, id: 9 },
      { ref: 'd', ok: null },
      { ref: 'a', ok: true, id: 1 },
    ];
    answers = { POST: { status: 207, body: { results } } };
    assert.deepEqual(await batch('a', 'b', 'c', 'd'), ['applied', 'ambiguous', 'rejected', 'ambiguous']);
  });
  test('that is refused as a whole is sent again in halves, until the bad item is alone', async () => {
    const ok = (...refs: string[]) => ({
      body: { results: refs.map((ref) => ({ ref, ok: true, id: ref })) },
    });
    answers = {
      POST: [
        { status: 400, body: {} },
        ok('a', 'b'),
        { status: 400, body: {} },
        { status: 400, body: {} },
        ok('d'),
      ],
    };
    assert.deepEqual(await batch('a', 'b', 'c', 'd'), ['applied', 'applied', 'rejected', 'applied']);
    assert.deepEqual(bodies(), [['a', 'b', 'c', 'd'], ['a', 'b'], ['c', 'd'], ['c'], ['d']]);
  });
  test('that is refused as a whole, and cannot be written twice, is in doubt', async () => {
    answers = { POST: [{ status: 400, body: {} }] };
    const client = await open(changes.replace('upsert', 'none'));
    const outcomes = await client.write('order', {}, items('a', 'b'), call());
    await client.close();
    assert.deepEqual(
      [...outcomes.values()].map(({ kind }) => kind),
      ['ambiguous', 'ambiguous'],
    );
  });
  test('keeps items that could not be told apart in requests of their own', async () => {
    const one = { body: { results: [{ ref: 'a', ok: true, id: 1 }] } };
    answers = { POST: [one, one] };
    assert.deepEqual(await batch('a', 'a'), ['applied', 'applied']);
    assert.deepEqual(bodies(), [['a'], ['a']]);
  });
  test('goes no further when an answer is lost', async () => {
    answers = { POST: [{ status: 500, body: {} }] };
    assert.deepEqual(await batch('a', 'a'), ['ambiguous', 'throttled']);
    assert.equal(requests.length, 1);
  });
});
