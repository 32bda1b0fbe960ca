import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import type { SignalQuery, Value } from '../../src/warehouses/warehouse.ts';
import { type Candidate, patient } from './fixture.ts';

type Row = readonly [id: string | null, a: string | null, b: string | null];

const query: SignalQuery = {
  sql: '',
  key: ['id'],
  when: undefined,
  rearm: undefined,
  track: ['a', 'b'],
  observedAt: undefined,
};

/** Changes that leave a sum, or an exclusive or, over the values as it was. The rows share one bucket. */
const cancelling: [name: string, before: Row[], after: Row[]][] = [
  [
    'two rows swap their values',
    [
      ['1', 'x', ''],
      ['2', 'y', ''],
    ],
    [
      ['1', 'y', ''],
      ['2', 'x', ''],
    ],
  ],
  [
    'three rows pass theirs on',
    [
      ['1', 'x', ''],
      ['2', 'y', ''],
      ['3', 'z', ''],
    ],
    [
      ['1', 'y', ''],
      ['2', 'z', ''],
      ['3', 'x', ''],
    ],
  ],
  ['a value moves to the next column', [['1', 'x', 'y']], [['1', 'y', 'x']]],
  [
    'one rises by what another falls',
    [
      ['1', '5', ''],
      ['2', '5', ''],
    ],
    [
      ['1', '6', ''],
      ['2', '4', ''],
    ],
  ],
  ['a row goes, and another of the same values comes', [['1', 'x', 'y']], [['2', 'x', 'y']]],
  [
    'two rows with equal values change alike',
    [
      ['1', 'x', ''],
      ['2', 'x', ''],
    ],
    [
      ['1', 'y', ''],
      ['2', 'y', ''],
    ],
  ],
  ['null becomes an empty text', [['1', null, 'x']], [['1', '', 'x']]],
  ['text moves over the border of two columns', [['1', 'ab', 'c']], [['1', 'a', 'bc']]],
  ['key and value change places', [['1', '2', '']], [['2', '1', '']]],
];

export function examineDigests(candidate: Candidate): void {
  const digest = async (rows: readonly Row[], buckets: number): Promise<Map<Value, string>> => {
    const statement = candidate.warehouse.digest({ ...query, sql: selecting(rows) }, buckets);
    return new Map(
      (await candidate.rows(statement)).map(([bucket, ...rest]) => [bucket ?? null, rest.join(':')]),
    );
  };
  const members = (rows: readonly Row[], buckets: number) =>
    candidate.rows(candidate.warehouse.members({ ...query, sql: selecting(rows) }, buckets));

  for (const [name, before, after] of cancelling)
    it(`sees in the digest that ${name}`, async () => {
      assert.notDeepEqual(await digest(after, 1), await digest(before, 1));
    });

  it('changes the digests of exactly the buckets whose members change, whatever changes', async () => {
    const value = fc.constantFrom('x', 'y', '', null);
    const set = fc.uniqueArray(fc.tuple(fc.nat(30).map(String), value, value), {
      selector: ([id]) => id,
      minLength: 1,
      maxLength: 20,
    });
    let changes = 0;
    for (const [before, after] of fc.sample(fc.tuple(set, set), { numRuns: 15, seed: 3 })) {
      const [digests, others] = [await digest(before, 4), await digest(after, 4)];
      const [rows, otherRows] = [byBucket(await members(before, 4)), byBucket(await members(after, 4))];
      for (const bucket of ['0', '1', '2', '3']) {
        const same = rows.get(bucket) === otherRows.get(bucket);
        assert.equal(digests.get(bucket) === others.get(bucket), same, JSON.stringify([before, after]));
        if (!same) changes += 1;
      }
    }
    assert.ok(changes > 30, `${changes} changes`);
  });

  it('gives a million rows a million hashes and fingerprints', async () => {
    const { warehouse, fixture, rows } = candidate;
    const sql = `select n as id, n as a, 'x' as b from (${fixture.dialect.series(1_000_000)}) as s`;
    const statement = warehouse.members({ ...query, sql }, 16_384);
    const distinct = ['hash', 'fingerprint', 'bucket'].map(
      (name) => `count(distinct ${fixture.dialect.column?.(name) ?? name}) as ${name}s`,
    );
    const counted = await rows(
      `select count(*) as total, ${distinct.join(', ')} from (${statement.sql}) as m`,
    );
    assert.deepEqual(counted, [['1000000', '1000000', '1000000', '16384']]);
  });

  it('compares members with what is known of them, where it can', async (t) => {
    const { warehouse } = candidate;
    if (!warehouse.differences) return t.skip('it leaves that to the ledger');
    const kept: Row[] = [
      ['1', 'x', 'y'],
      ['2', 'x', null],
      ['4', '"', '\\'],
    ];
    const sql = selecting(kept);
    const all = await members(kept, 1);
    const known = all.map((row) => ({ key: [String(row[5])], fingerprint: String(row[2]) }));
    const changed = known.map((one) => (one.key[0] === '2' ? { ...one, fingerprint: 'other' } : one));
    const given = [...changed.filter((one) => one.key[0] !== '1'), { key: ['3'], fingerprint: 'gone' }];
    const key = (await warehouse.describe(sql, patient)).slice(0, 1);
    const ask = (of: typeof given) =>
      candidate.rows(warehouse.differences?.({ ...query, sql }, key, 1, [0], of) ?? '');
    const total = [...(await digest(kept, 1)).values()][0]?.split(':');
    const expectedDigest = ['digest', '0', null, total?.[0], total?.[1], null, null];
    assert.deepEqual(sorted(await ask(known)), sorted([expectedDigest]));
    assert.deepEqual(
      sorted(await ask(given)),
      sorted([
        expectedDigest,
        ...all.filter((row) => row[5] === '1' || row[5] === '2').map((row) => ['difference', ...row]),
        ['difference', null, null, null, null, null, '3'],
      ]),
    );
  });

  for (const [name, rows] of [
    [
      'missing',
      [
        ['1', 'x', 'y'],
        [null, 'x', 'y'],
      ],
    ],
    [
      'not unique',
      [
        ['1', 'x', 'y'],
        ['1', 'x', 'z'],
      ],
    ],
  ] as [string, Row[]][])
    it(`calls a bucket unsound in which a key is ${name}`, async (t) => {
      const { warehouse } = candidate;
      if (!warehouse.differences) return t.skip('it leaves that to the ledger');
      const sql = selecting(rows);
      const key = (await warehouse.describe(sql, patient)).slice(0, 1);
      const found = await candidate.rows(warehouse.differences({ ...query, sql }, key, 1, [0], []));
      assert.deepEqual(
        found.map(([kind]) => kind).filter((kind) => kind !== 'difference'),
        ['unsound'],
      );
    });

  it('finds a key of any type again that is given back as its text', async (t) => {
    const { warehouse, fixture } = candidate;
    if (!warehouse.differences) return t.skip('it leaves that to the ledger');
    for (const expression of fixture.dialect.keys) {
      const sql = `select ${expression} as id, 'x' as a, 'y' as b`;
      const [member] = await candidate.rows(warehouse.members({ ...query, sql }, 1));
      const known = [{ key: [String(member?.[5])], fingerprint: String(member?.[2]) }];
      const key = (await warehouse.describe(sql, patient)).slice(0, 1);
      const found = await candidate.rows(warehouse.differences({ ...query, sql }, key, 1, [0], known));
      assert.deepEqual(
        found.map(([kind]) => kind),
        ['digest'],
        expression,
      );
    }
  });
}

function selecting(rows: readonly Row[]): string {
  const literal = (value: Value) =>
    value === null ? 'cast(null as varchar)' : `cast('${value.replaceAll("'", "''")}' as varchar)`;
  return `select id, a, b from (values ${rows.map((row) => `(${row.map(literal).join(', ')})`).join(', ')}) as v (id, a, b)`;
}

/** What the members of each bucket are, apart from the hash. */
function byBucket(rows: readonly Value[][]): Map<Value, string> {
  const texts = new Map<Value, string[]>();
  for (const [bucket = null, armed, fingerprint, , , ...key] of rows)
    texts.set(bucket, [...(texts.get(bucket) ?? []), JSON.stringify([key, armed, fingerprint])]);
  return new Map([...texts].map(([bucket, members]) => [bucket, members.sort().join()]));
}

function sorted(rows: readonly (Value | undefined)[][]): string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}
