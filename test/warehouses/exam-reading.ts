import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type Candidate, patient } from './fixture.ts';

/** What one read may add to the process beyond what it held before; 1M rows as JavaScript values are above 400 MB. */
const readMegabytes = 200;

export function examineReading(candidate: Candidate): void {
  it('gives every value as its exact text, and names its type', async () => {
    const { values } = candidate.fixture.dialect;
    const sql = `select ${values.map((value, at) => `${value.sql} as c${at}`).join(', ')}`;
    const columns = await candidate.warehouse.describe(sql, patient);
    assert.deepEqual(
      columns.map(({ name, type }) => ({ name, type })),
      values.map(({ type }, at) => ({ name: `c${at}`, type })),
    );
    assert.deepEqual(await candidate.rows(sql), [values.map(({ text }) => text)]);
  });

  it('names types so that a text can be cast back', async () => {
    for (const { sql, text, castable } of candidate.fixture.dialect.values) {
      if (text === null || castable === false) continue;
      const [column] = await candidate.warehouse.describe(`select ${sql} as c`, patient);
      const cast = candidate.spell(
        `select cast('${text.replaceAll("'", "''")}' as ${column?.nativeType}) as c`,
      );
      assert.deepEqual(await candidate.rows(cast), [[text]], `${sql} is ${column?.nativeType}`);
    }
  });

  it('keeps two columns of one name apart, or refuses them', async () => {
    const rows = candidate.rows('select 1 as a, 2 as a');
    if (candidate.fixture.dialect.refusesTwins) await assert.rejects(rows, { code: 'SIGNAL_SQL' });
    else assert.deepEqual(await rows, [['1', '2']]);
  });

  it('reads a result without rows', async () => {
    assert.deepEqual(await candidate.rows('select 1 as a where 1 = 0'), []);
  });

  it('reads every row, in batches of a few thousand, in bounded memory', async () => {
    const { warehouse, fixture } = candidate;
    const statement = { sql: fixture.dialect.series(1_000_000), params: [] };
    await candidate.rows(fixture.dialect.series(10_000));
    const before = process.memoryUsage().rss;
    let peak = before;
    let sum = 0;
    let largest = 0;
    for await (const batch of warehouse.read(statement, patient)) {
      for (const [n] of batch) sum += Number(n);
      largest = Math.max(largest, batch.length);
      peak = Math.max(peak, process.memoryUsage().rss);
    }
    assert.equal(sum, (1_000_000 * 999_999) / 2);
    assert.ok(largest <= 5000, `a batch had ${largest} rows`);
    const grown = Math.round((peak - before) / 1e6);
    assert.ok(
      grown < readMegabytes + (fixture.dialect.serverMegabytes ?? 0),
      `the process grew by ${grown} MB`,
    );
  });

  it('keeps the order of the query', async () => {
    const rows = await candidate.rows(
      `select n from (${candidate.fixture.dialect.series(5000)}) as s order by n desc`,
    );
    assert.deepEqual(
      rows.map(([n]) => Number(n)),
      Array.from({ length: 5000 }, (_, at) => 4999 - at),
    );
  });

  it('reads several results at one time', async () => {
    const { series } = candidate.fixture.dialect;
    const counts = [1, 10, 100, 1000, 5000, 10_000, 20_000, 30_000];
    const results = await Promise.all(counts.map((count) => candidate.rows(series(count))));
    assert.deepEqual(
      results.map((rows) => rows.length),
      counts,
    );
  });

  it('lets a reader leave early', async () => {
    const { warehouse, fixture } = candidate;
    for (let round = 0; round < 10; round++) {
      for await (const batch of warehouse.read(
        { sql: fixture.dialect.series(100_000), params: [] },
        patient,
      )) {
        assert.ok(batch.length > 0);
        break;
      }
    }
    await warehouse.check(patient);
  });

  it('throws when a row in the middle cannot be computed, instead of ending early', async () => {
    await assert.rejects(candidate.rows(candidate.fixture.dialect.failsHalfway), { code: 'WAREHOUSE_QUERY' });
  });

  it('shows a sample', async () => {
    const { warehouse, fixture, rows } = candidate;
    const statement = warehouse.sample(`${fixture.dialect.series(1000)} -- all of them;`, 3);
    assert.equal((await rows(statement)).length, 3);
  });

  it('looks rows up by keys of any type, as read', async () => {
    for (const key of candidate.fixture.dialect.keys) {
      const sql = `select ${key} as id, 'it' as found union all select null, 'nobody'`;
      const [column] = await candidate.warehouse.describe(sql, patient);
      assert.ok(column);
      const read = (await candidate.rows(sql)).filter(([, found]) => found === 'it');
      const text = read[0]?.[0] as string;
      const statement = candidate.warehouse.lookup(sql, [column], [[text], [text]]);
      assert.deepEqual(await candidate.rows(statement), read, `${key} arrived as ${text}`);
    }
  });

  it('looks rows up by several columns and thousands of keys', async () => {
    const { warehouse, fixture, rows } = candidate;
    const sql = candidate.spell(
      `select n, 'it''s ' || cast(n as varchar) as name, n * 2 as twice from (${fixture.dialect.series(5000)}) as s;`,
    );
    const columns = await warehouse.describe(sql, patient);
    const keys = Array.from({ length: 2000 }, (_, at) => [String(at * 2), `it's ${at * 2}`]);
    const wrong = [['1', "it's 2"]];
    const found = await rows(warehouse.lookup(sql, columns.slice(0, 2), [...keys, ...wrong]));
    assert.deepEqual(
      found.map(([n]) => Number(n)).sort((a, b) => a - b),
      keys.map(([n]) => Number(n)),
    );
  });
}
