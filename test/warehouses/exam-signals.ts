import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import fc from 'fast-check';
import type { SignalQuery, Value } from '../../src/warehouses/warehouse.ts';
import { type Candidate, patient } from './fixture.ts';

const buckets = 16;

const customers: SignalQuery = {
  sql: 'select * from customers -- every one;',
  key: ['id'],
  when: undefined,
  rearm: undefined,
  track: ['plan', 'score'],
  observedAt: 'scored_at',
};

const table = `create table customers (
  id bigint primary key, region varchar, plan varchar, score decimal(18, 4), note varchar, scored_at timestamp,
  bucket bigint, hash varchar, armed varchar
)`;

export function examineSignals(candidate: Candidate): void {
  const members = (change: Partial<SignalQuery> = {}, only?: number[]) =>
    candidate.rows(candidate.warehouse.members({ ...customers, ...change }, buckets, only));
  const digest = (change: Partial<SignalQuery> = {}) =>
    candidate.rows(candidate.warehouse.digest({ ...customers, ...change }, buckets));
  const one = async (id: number) => (await members()).find((row) => row[5] === String(id)) as Value[];

  before(async () => {
    const { execute, dialect } = candidate.fixture;
    await execute(table);
    await execute(`insert into customers
      select n, 'r' || cast(n % 3 as varchar), 'plan ' || cast(n % 5 as varchar), n / 1000.0, null,
        timestamp '2026-01-31 09:30:00.123456', 7, 'x', 'y'
      from (${dialect.series(1000)}) as s`);
    await execute('update customers set score = null where id = 0');
  });

  it('gives bucket, armed, fingerprint, hash, time and key of each member', async () => {
    const [bucket, armed, fingerprint, hash, observedAt, ...key] = await one(42);
    assert.ok(Number(bucket) >= 0 && Number(bucket) < buckets);
    assert.equal(armed, 'true');
    assert.match(String(fingerprint), /^[0-9a-f]{16}$/);
    assert.ok(BigInt(String(hash)) >= 0n && BigInt(String(hash)) < 2n ** 63n);
    assert.equal(observedAt, '2026-01-31T09:30:00.123456Z');
    assert.deepEqual(key, ['42']);
  });

  const outcomes: [string, Partial<SignalQuery>, string[]][] = [
    ['without when every row is a member', {}, ['0 true', '500 true', '800 true', '900 true']],
    ['with when alone only what it holds for', { when: 'score > 0.85' }, ['900 true']],
    [
      'with rearm also what is in between or unknown, not armed',
      { when: 'score > 0.85', rearm: 'score < 0.75' },
      ['0 false', '800 false', '900 true'],
    ],
    [
      'with conditions that end in comments',
      { when: 'score > 0.85 -- high;', rearm: 'score < 0.75 /* low */;' },
      ['0 false', '800 false', '900 true'],
    ],
    [
      'with conditions made of or',
      { when: 'score > 0.85 or false', rearm: 'score < 0.85 or false' },
      ['0 false', '900 true'],
    ],
  ];
  for (const [name, conditions, expected] of outcomes) {
    it(`hysteresis: ${name}`, async () => {
      const sql = 'select * from customers where id in (0, 500, 800, 900);';
      const rows = await members({ ...conditions, sql });
      assert.deepEqual(
        rows.sort((a, b) => Number(a[5]) - Number(b[5])).map((row) => `${row[5]} ${row[1]}`),
        expected,
      );
      const counted = await digest({ ...conditions, sql });
      assert.equal(
        counted.reduce((sum, row) => sum + Number(row[1]), 0),
        expected.length,
      );
    });
  }

  it('spreads members over buckets, each in one', async () => {
    const all = await members();
    const parts = await Promise.all(
      [[0], [1, 2, 3], [4, 5, 6, 7, 8, 9, 10], [11, 12, 13, 14, 15]].map((only) => members({}, only)),
    );
    assert.deepEqual(sorted(parts.flat()), sorted(all));
    assert.equal(all.length, 1000);
    assert.equal(new Set(all.map((row) => row[0])).size, buckets);
    assert.deepEqual(await members({}, []), []);
  });

  it('sums the members’ hashes to the digest of their bucket', async () => {
    for (const conditions of [
      {},
      { when: 'score > 0.85', rearm: 'score < 0.75' },
      { observedAt: undefined },
    ]) {
      const sums = new Map<Value, { rows: number; sum: bigint }>();
      for (const [bucket, , , hash] of await members(conditions)) {
        const { rows, sum } = sums.get(bucket as Value) ?? { rows: 0, sum: 0n };
        sums.set(bucket as Value, { rows: rows + 1, sum: sum + BigInt(hash as string) });
      }
      const expected = [...sums].map(([bucket, { rows, sum }]) => [bucket as Value, `${rows}`, `${sum}`]);
      assert.deepEqual(sorted(await digest(conditions)), sorted(expected));
    }
  });

  it('has a digest that does not depend on the order of rows', async () => {
    assert.deepEqual(
      sorted(await digest({ sql: 'select * from customers order by id desc' })),
      sorted(await digest()),
    );
  });

  it('changes the digest of just the bucket whose members changed', async () => {
    const { execute } = candidate.fixture;
    const untouched = await digest();
    await execute(`update customers set note = 'nobody tracks this' where id = 42`);
    assert.deepEqual(sorted(await digest()), sorted(untouched));
    const [bucket, , before] = await one(42);
    await execute(`update customers set plan = 'another' where id = 42`);
    const [, , after] = await one(42);
    assert.notEqual(after, before);
    const changed = sorted(await digest()).filter((row, at) => row !== sorted(untouched)[at]);
    assert.deepEqual(
      changed.map((row) => JSON.parse(row)[0]),
      [bucket],
    );
    await execute(`update customers set plan = 'plan 2' where id = 42`);
    assert.deepEqual(sorted(await digest()), sorted(untouched));
  });

  it('changes the digest when a member is disarmed, though nothing tracked changed', async () => {
    const hysteresis = { when: 'score > 0.85', rearm: 'score < 0.75', track: [] };
    const before = await digest(hysteresis);
    await candidate.fixture.execute('update customers set score = 0.80 where id = 900');
    const after = await digest(hysteresis);
    assert.equal(sorted(after).filter((row, at) => row !== sorted(before)[at]).length, 1);
    await candidate.fixture.execute('update customers set score = 0.90 where id = 900');
  });

  it('takes a constant fingerprint when nothing is tracked', async () => {
    assert.deepEqual([...new Set((await members({ track: [] })).map((row) => row[2]))], ['0000000000000000']);
  });

  it('takes the fingerprint it has always taken', async () => {
    const sql = candidate.spell(
      `select 1 as id, 'a' as t, 1 as n, cast(null as varchar) as nothing, true as yes`,
    );
    const rows = await members({ sql, track: ['t', 'n', 'nothing', 'yes'], observedAt: undefined });
    assert.equal(rows[0]?.[2], candidate.fixture.dialect.fingerprint);
  });

  it('tells any two rows of tracked values apart, and no two equal ones', async () => {
    const part = fc.string({ unit: fc.constantFrom(...'ab,"()\\:1n é'), maxLength: 4 });
    const text = fc.option(part, { nil: null });
    const rows = fc.sample(fc.tuple(text, text), { numRuns: 1500, seed: 1 });
    const literal = (value: Value) =>
      value === null ? 'cast(null as varchar)' : `cast('${value}' as varchar)`;
    const values = rows.map(([a, b], at) => `(${at}, ${literal(a)}, ${literal(b)})`).join(', ');
    await candidate.fixture.execute('create table pairs (id bigint, a varchar(9), b varchar(9))');
    await candidate.fixture.execute(`insert into pairs values ${values}`);
    const sql = 'select id, a, b from pairs';
    const found = await members({ sql, track: ['a', 'b'], observedAt: undefined });
    const byFingerprint = new Map<Value, string>();
    for (const [, , fingerprint, , , id] of found) {
      const row = JSON.stringify(rows[Number(id)]);
      assert.equal(byFingerprint.get(fingerprint as Value) ?? row, row);
      byFingerprint.set(fingerprint as Value, row);
    }
    assert.equal(byFingerprint.size, new Set(rows.map((row) => JSON.stringify(row))).size);
  });

  it('gives rows without a key a bucket, so that somebody can count them', async () => {
    const sql = candidate.spell('select cast(null as bigint) as id, cast(null as varchar) as region');
    const alone = await members({ sql, track: [], observedAt: undefined });
    assert.deepEqual([alone[0]?.[5], Number(alone[0]?.[0]) >= 0], [null, true]);
    const both = await members({ sql, key: ['id', 'region'], track: [], observedAt: undefined });
    assert.deepEqual(both[0]?.slice(5), [null, null]);
  });

  it('takes keys of several columns, and columns named like its own', async () => {
    const key = ['region', 'id', 'bucket'];
    const rows = await members({
      key,
      track: ['hash', 'armed', 'bucket'],
      when: candidate.spell("hash = 'x' and armed = 'y'"),
    });
    assert.equal(rows.length, 1000);
    assert.deepEqual(rows.find((row) => row[6] === '42')?.slice(5), ['r0', '42', '7']);
    const sum = (await digest({ key, when: 'bucket = 7' })).reduce((total, row) => total + Number(row[1]), 0);
    assert.equal(sum, 1000);
  });

  it('takes times with zone, without zone, as dates and as texts', async () => {
    const times: [string, string][] = [
      [`cast('2026-01-31 09:30:00.5+02' as timestamp with time zone)`, '2026-01-31T07:30:00.500000Z'],
      [`cast('2026-01-31 09:30:00' as timestamp)`, '2026-01-31T09:30:00.000000Z'],
      [`cast('2026-01-31' as date)`, '2026-01-31T00:00:00.000000Z'],
      [`'2026-01-31T09:30:00.123456Z'`, '2026-01-31T09:30:00.123456Z'],
    ];
    for (const [time, text] of times) {
      const sql = candidate.spell(`select 1 as id, ${time} as scored_at`);
      assert.equal((await members({ sql, track: [] }))[0]?.[4], text);
      const newest = candidate.warehouse.newest(sql, 'scored_at');
      assert.deepEqual(await candidate.rows(newest, patient), [[text]]);
    }
  });

  it('points into the compiled statement when a condition is wrong', async () => {
    const statement = candidate.warehouse.members({ ...customers, when: 'scor > 1' }, buckets);
    const line = statement.sql.split('\n').findIndex((text) => text.startsWith('scor > 1')) + 1;
    await assert.rejects(candidate.rows(statement, patient), {
      code: 'SIGNAL_SQL',
      place: { file: '', line, column: 1 },
    });
  });
}

function sorted(rows: Value[][]): string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}
