import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ReadbackError } from '../../src/errors.ts';
import type { Difference } from '../../src/unit/compare.ts';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
before(async () => {
  shop = await openShop();
});
after(() => shop.close());

/** C-1 stays above, C-2 is between, C-3 falls below, C-4 comes. */
const tables = `
given:
  - input: scores
    rows:
      - { customer_id: C-1, score: 0.910 }
      - { customer_id: C-2, score: 0.6 }
      - { customer_id: C-3, score: 0.4 }
      - { customer_id: C-4, score: 0.95, scored_at: "2026-01-31T09:00:00Z" }
  - input: main.plans
    rows: |
      customer_id,plan
      C-1,pro
      C-2,pro
      C-3,"free"
      C-4,"a, ""b"""
  - input: profiles
    rows:
      - { customer_id: C-4, email: Four@Example.com }
      - { customer_id: C-3, email: three@example.com }
before:
  - input: scores
    rows:
      - { customer_id: C-1, score: 0.9 }
      - { customer_id: C-2, score: 0.9 }
      - { customer_id: C-3, score: 0.9 }
  - input: main.plans
    rows:
      - { customer_id: C-1, plan: basic }
      - { customer_id: C-2, plan: pro }
      - { customer_id: C-3, plan: free }
`;
const head = 'signal: churn\nnow: 2026-03-01T10:00:00Z\n';
const contact = `
  actions:
    contact:
      - entity: C-4
        fields: { email: four@example.com, plan: 'a, "b"', since: 2026-03-01 (entered) }
`;
const transitions = '\n  transitions: { entered: [C-4], changed: [C-1], left: [C-3] }';

function told(differences: readonly Difference[]): string[] {
  return differences.map(
    ({ place, about, expected, found }) => `${place.line}:${place.column} ${about}: ${expected} | ${found}`,
  );
}

async function complaint(text: string): Promise<string> {
  const error = await shop.run(text).then(
    () => assert.fail('it ran'),
    (error: unknown) => error,
  );
  assert.ok(error instanceof ReadbackError, String(error));
  return error.format();
}

test('a test passes when transitions and payloads are what the real path makes of the rows', async () => {
  assert.deepEqual(told(await shop.run(`${head}${tables}expect:${transitions}${contact}`)), []);
});

test('no row of the warehouse has a say', async () => {
  await shop.warehouse.run(`
    insert into scores values ('C-9', 0.99, now()), ('C-4', 0.1, now());
    insert into plans values ('C-9', 'pro'), ('C-4', 'pro');
    insert into profiles values ('C-9', 'nine@example.com'), ('C-4', 'wrong@example.com');
  `);
  assert.deepEqual(told(await shop.run(`${head}${tables}expect:${transitions}${contact}`)), []);
});

test('without before, everyone who meets the signal enters', async () => {
  const given = tables.slice(0, tables.indexOf('before:'));
  const expect = 'expect: { transitions: { entered: [C-1, C-4] } }';
  assert.deepEqual(told(await shop.run(`${head}${given}${expect}`)), []);
});

test('each wrong transition is told at its place', async () => {
  const expect = 'expect:\n  transitions:\n    entered: [C-1, C-5]\n    left: [C-3]\n';
  const line = `${head}${tables}`.split('\n').length;
  assert.deepEqual(told(await shop.run(`${head}${tables}${expect}`)), [
    `${line + 2}:15 C-1: entered | changed`,
    `${line + 2}:20 C-5: entered | nothing`,
    `${line + 1}:3 C-4: nothing | entered`,
  ]);
});

test('each wrong field of a payload is told at its place, and so is what is not sent', async () => {
  const expect = `expect:
  actions:
    contact:
      - entity: C-4
        fields: { email: Four@Example.com, nickname: x, since: 2026-03-01 (entered) }
      - entity: C-3
        fields: { email: three@example.com }
      - entity: C-7
        fields: {}
`;
  const line = `${head}${tables}`.split('\n').length;
  assert.deepEqual(told(await shop.run(`${head}${tables}${expect}`)), [
    `${line + 4}:26 contact C-4 email: "Four@Example.com" | "four@example.com"`,
    `${line + 4}:54 contact C-4 nickname: "x" | nothing`,
    `${line + 3}:9 contact C-4 plan: nothing | "a, \\"b\\""`.replace(':9 ', ':17 '),
    `${line + 5}:17 contact C-3: send | suppressed: when: plan != 'free' does not hold`,
    `${line + 7}:17 contact C-7: send | no transition`,
  ]);
});

test('what is sent beyond what is expected is told', async () => {
  const differences = await shop.run(`${head}${tables}expect: { actions: { contact: [] } }`);
  assert.equal(differences.length, 1);
  assert.match(told(differences)[0] ?? '', /contact C-4: nothing \| send \{"email":"four@example\.com"/);
});

test('with columns written, the table need not be there', async () => {
  const other = await openShop({
    'readback.yml': 'project: p\nwarehouses:\n  none: { type: duckdb, path: ":memory:" }\n',
    'signals/churn.sql':
      "/*\nkey: id\n*/\nselect id from nowhere.orders where placed > timestamp '2026-01-01'",
  });
  try {
    const rows = 'rows: [{ id: 007, placed: 2026-02-01 }, { id: 008, placed: 2025-02-01 }]';
    const input = `- { input: nowhere.orders, columns: { id: text, placed: timestamp }, ${rows} }`;
    const text = `signal: churn\ngiven:\n  ${input}\nexpect: { transitions: { entered: [007] } }`;
    assert.deepEqual(told(await other.run(text)), []);
  } finally {
    await other.close();
  }
});

test('a key of several columns is a list', async () => {
  const other = await openShop({
    'readback.yml': 'project: p\nwarehouses:\n  none: { type: duckdb, path: ":memory:" }\n',
    'signals/churn.sql': '/*\nkey: [shop, sku]\n*/\nselect shop, sku from stock',
  });
  try {
    const stock =
      '{ input: stock, columns: { shop: text, sku: int }, rows: [{ shop: LYS, sku: 1 }, { shop: LYS, sku: 2 }] }';
    const text = `signal: churn\ngiven: [${stock}]\nexpect: { transitions: { entered: [[LYS, 1], [CDG, 2]] } }`;
    assert.deepEqual(told(await other.run(text)), [
      '3:46 ["CDG","2"]: entered | nothing',
      '3:11 ["LYS","2"]: nothing | entered',
    ]);
  } finally {
    await other.close();
  }
});

test('a table of no rows has its columns all the same', async () => {
  const empty = 'given: [{ input: scores }, { input: main.plans }]\n';
  assert.deepEqual(told(await shop.run(`signal: churn\n${empty}expect: { transitions: {} }`)), []);
});

const given = tables.slice(0, tables.indexOf('before:'));
const expect = 'expect: { transitions: {} }';
const mistakes: [what: string, text: string, told: RegExp][] = [
  [
    'an unknown signal',
    `signal: chrun\n${given}${expect}`,
    /1:9 CONFIG_REFERENCE: there is no usable signal `chrun`\n.*`churn`/,
  ],
  [
    'an unknown destination',
    `${head}${given}expect: { actions: { contct: [] } }`,
    /no destination `contct` acts on churn\n.*`contact`/,
  ],
  [
    'a table that nothing reads',
    `${head}${given.replace('input: scores', 'input: score')}${expect}`,
    /5:12 CONFIG_REFERENCE: nothing here reads `score`/,
  ],
  [
    'a table in a string or a comment',
    `${head}given: [{ input: nowhere }]\n${expect}`,
    /nothing here reads `nowhere`/,
  ],
  [
    'a column that the table does not have',
    `${head}${given.replaceAll('score:', 'scroe:')}${expect}`,
    /CONFIG_REFERENCE: `scores` has no column `scroe`\n.*customer_id, score, scored_at/,
  ],
  [
    'a value that is not of its type',
    `${head}${given.replace('0.910', 'high')}${expect}`,
    /1:9 (SIGNAL_SQL|WAREHOUSE_QUERY): .*high/,
  ],
  [
    'before: of something not given',
    `${head}${given}before: [{ input: profile }]\n${expect}`,
    /`profile` is not under given:/,
  ],
  ['nothing expected', `${head}${given}expect: {}`, /nothing is expected/],
  [
    'a duplicate key',
    `${head}${given.replace('customer_id: C-2', 'customer_id: C-1')}${expect}`,
    /customer_id C-1 is returned more than once/,
  ],
];
for (const [what, text, expected] of mistakes)
  test(`${what} is refused at its place`, async () => {
    const found = await complaint(text);
    assert.match(found, /^tests\/t\.yaml:\d+:\d+ /);
    assert.match(found, expected);
  });
