import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { Diff, Signal } from '../../src/config/model.ts';
import { Secret } from '../../src/config/secret.ts';
import { type PollResult, poll } from '../../src/detect/poll.ts';
import { emit } from '../../src/emit/emit.ts';
import { loadWarehouse } from '../../src/warehouses/index.ts';
import type { Warehouse } from '../../src/warehouses/warehouse.ts';
import { emptyDatabase, freshDatabase, type TestDatabase } from '../helpers/postgres.ts';
import { aDestination, aSignal } from '../helpers/signal.ts';
import { duckdbFile } from '../helpers/warehouse.ts';

type Row = readonly [id: string | null, score: number, note?: string];

/** A warehouse with a place for snapshots, as its owner has it. */
interface Owned {
  warehouse: Warehouse;
  run(sql: string): Promise<void>;
  /** Tables in the place for snapshots. */
  tables(): Promise<string[]>;
  /** How such a table is named in SQL. */
  named(table: string): string;
  close(): Promise<void>;
}

const kinds: Record<string, () => Promise<Owned>> = { duckdb: ownDuckdb, postgres: ownPostgres };

async function ownDuckdb(): Promise<Owned> {
  const team = await duckdbFile();
  const scratch = await duckdbFile();
  const type = await loadWarehouse('duckdb');
  assert.ok(type);
  const settings = { path: team.path, scratch_path: scratch.path };
  const warehouse = await type.open(type.schema.parse(settings));
  const catalog = {
    sql: "select table_name from duckdb_tables() where database_name = 'readback_scratch'",
    params: [],
  };
  return {
    warehouse,
    run: team.run,
    tables: () => firstColumn(warehouse, catalog.sql),
    named: (table) => `readback_scratch."${table}"`,
    close: async () => {
      await warehouse.close();
      await team.remove();
      await scratch.remove();
    },
  };
}

async function ownPostgres(): Promise<Owned> {
  const { url, pool, drop } = await emptyDatabase();
  await pool.query('create schema scratch');
  const type = await loadWarehouse('postgres');
  assert.ok(type);
  const warehouse = await type.open(type.schema.parse({ url: new Secret(url), scratch_schema: 'scratch' }));
  return {
    warehouse,
    run: async (sql) => void (await pool.query(sql)),
    tables: () =>
      firstColumn(warehouse, "select tablename::text from pg_tables where schemaname = 'scratch'"),
    named: (table) => `scratch."${table}"`,
    close: async () => {
      await warehouse.close();
      await drop();
    },
  };
}

async function firstColumn(warehouse: Warehouse, sql: string): Promise<string[]> {
  const found: string[] = [];
  for await (const rows of warehouse.read({ sql, params: [] }, { timeoutMs: 30_000 }))
    found.push(...rows.map(([value]) => String(value)));
  return found;
}

let ledger: TestDatabase;
before(async () => {
  ledger = await freshDatabase();
});
after(() => ledger.drop());

for (const [kind, own] of Object.entries(kinds)) describe(`diff in ${kind}`, () => examineDiff(kind, own));

function examineDiff(kind: string, own: () => Promise<Owned>): void {
  let owned: Owned;
  before(async () => {
    owned = await own();
    await owned.run(
      'create table scores (signal varchar, id varchar, score double precision, seen timestamp, note varchar)',
    );
  });
  after(() => owned.close());

  const signalOf = (name: string, facts: Partial<Signal> = {}): Signal =>
    aSignal({
      name: `${kind}-${name}`,
      sql: `select id, score, seen, note from scores where signal = '${name}'`,
      on: ['entered', 'changed', 'left'],
      track: ['note'],
      diff: 'warehouse',
      ...facts,
    });
  const rows = async (name: string, ...values: Row[]) => {
    await owned.run(`delete from scores where signal = '${name}'`);
    if (values.length === 0) return;
    const list = values.map(
      ([id, score, note]) =>
        `('${name}', ${id === null ? 'null' : `'${id}'`}, ${score}, timestamp '2026-01-31 09:30:00.5', '${note ?? ''}')`,
    );
    await owned.run(`insert into scores values ${list.join(', ')}`);
  };
  const pollOnce = async (signal: Signal, crash = false, only: string[] = []): Promise<PollResult> => {
    const client = await ledger.pool.connect();
    try {
      const { rows: polls } = await client.query(
        "insert into polls (signal, scheduled_for, cause) values ($1, clock_timestamp(), 'manual') returning id",
        [signal.name],
      );
      return await poll(client, owned.warehouse, signal, {
        signal: new AbortController().signal,
        only,
        emit: async (transaction) => {
          await emit(transaction, 'test', polls[0].id, signal, [aDestination({ on: signal.on })]);
          if (crash) throw new Error('the process ended before the commit');
        },
      });
    } finally {
      client.release();
    }
  };
  const messages = async (signal: Signal): Promise<string[]> => {
    const { rows: found } = await ledger.pool.query(
      'select transition, entity, sequence from messages where signal = $1 order by entity, sequence',
      [signal.name],
    );
    return found.map((row) => `${row.transition} ${row.entity} ${row.sequence}`);
  };
  /** The table that the ledger counts on. */
  const snapshotOf = async (signal: Signal): Promise<string> => {
    const { rows: found } = await ledger.pool.query('select snapshot from signals where name = $1', [
      signal.name,
    ]);
    return String(found[0]?.snapshot);
  };

  test('in the warehouse: one message for each transition, and only transitions leave it', async () => {
    const signal = signalOf('life', { when: 'score > 0.5' });
    await rows('life', ['a', 0.9], ['b', 0.9], ['c', 0.9], ['d', 0.1]);
    const first = await pollOnce(signal);
    assert.deepEqual([first.state, first.members], ['baseline', 3]);
    await rows('life', ['a', 0.9], ['b', 0.9, 'new'], ['c', 0.1], ['d', 0.9]);
    const second = await pollOnce(signal);
    assert.deepEqual([second.rowsRead, second.members], [3, 3]);
    const third = await pollOnce(signal);
    assert.deepEqual([third.rowsRead, third.members], [0, 3]);
    assert.deepEqual(await messages(signal), ['changed b 1', 'left c 1', 'entered d 1']);
    assert.deepEqual(await owned.tables(), [await snapshotOf(signal)]);
    await owned.run(`delete from scores where signal = 'life'`);
  });

  test('in the warehouse: keys that are not text, and of several columns, go there and come back', async () => {
    const signal = signalOf('keys', { key: ['seen', 'id'], diff: 'digest' });
    await rows('keys', ['a', 1], ['b,"', 1]);
    await pollOnce(signal);
    await rows('keys', ['a', 1, 'new'], ['c', 1]);
    await pollOnce({ ...signal, diff: 'warehouse' });
    await rows('keys', ['a', 1, 'newer']);
    await pollOnce({ ...signal, diff: 'warehouse' });
    const time = '2026-01-31T09:30:00.500000';
    assert.deepEqual((await messages(signal)).sort(), [
      `changed ["${time}","a"] 1`,
      `changed ["${time}","a"] 2`,
      `entered ["${time}","c"] 1`,
      `left ["${time}","b,\\""] 1`,
      `left ["${time}","c"] 2`,
    ]);
  });

  for (const [name, facts, values, reason] of [
    ['null-key', {}, [[null, 1]], /1 rows have no id/],
    ['duplicate', {}, [...pairs('b', 'b')], /b is returned more than once/],
    ['too-many', { guard: { ...aSignal({}).guard, maxNew: 1 } }, pairs('b', 'c'), /2 entities would enter/],
    ['vanished', {}, 'none', /no rows returned although 1 are in the set/],
  ] as const) {
    for (const diff of ['rows', 'warehouse'] as const) {
      test(`${diff}: ${name} holds the poll, and nothing is forgotten`, async () => {
        const key = `${name}-${diff}`;
        const signal = signalOf(key, { ...facts, diff });
        await rows(key, ['a', 1]);
        await pollOnce(signal);
        await rows(key, ...(values === 'none' ? [] : [['a', 1] as const, ...values]));
        const held = await pollOnce(signal);
        assert.equal(held.state, 'held');
        assert.match(held.reason ?? '', reason);
        await rows(key, ['a', 1]);
        assert.equal((await pollOnce(signal)).state, 'done');
        assert.deepEqual(await messages(signal), []);
      });
    }
  }

  test('in the warehouse: what one poll did not commit the next finds, and no table is left behind', async () => {
    const before = await owned.tables();
    const signal = signalOf('crash');
    await rows('crash', ['a', 1]);
    await pollOnce(signal);
    await rows('crash', ['b', 1]);
    await assert.rejects(pollOnce(signal, true), /ended before the commit/);
    // The process ended between making a table and dropping it.
    await ledger.pool.query(`update signals set snapshots = snapshots || 'orphan'::text where name = $1`, [
      signal.name,
    ]);
    const { snapshots } = owned.warehouse;
    assert.ok(snapshots);
    const query = { ...signal, track: [], observedAt: undefined };
    await snapshots.write(snapshots.create('orphan', query, 16), { timeoutMs: 30_000 });
    await pollOnce(signal);
    assert.deepEqual(await messages(signal), ['left a 1', 'entered b 1']);
    const left = (await owned.tables()).filter((table) => !before.includes(table));
    assert.deepEqual(left, [await snapshotOf(signal)]);
  });

  test('in the warehouse: with --only the others are left for the next poll', async () => {
    const signal = signalOf('only');
    await rows('only', ['x', 1]);
    await pollOnce(signal);
    await rows('only', ['x', 1], ['a', 1], ['b', 1]);
    await pollOnce(signal, false, ['b']);
    assert.deepEqual(await messages(signal), ['entered b 1']);
    await pollOnce(signal);
    assert.deepEqual(await messages(signal), ['entered a 1', 'entered b 1']);
  });

  test('whatever changes, however it is compared, whatever breaks: exactly the transitions there were', async () => {
    const signal = signalOf('model', { when: 'score > 0.7', rearm: 'score < 0.3', guard: freely });
    const ids = ['a', 'b', 'c', 'd', 'e'];
    const row = fc.record({ score: fc.constantFrom(0.1, 0.5, 0.9), note: fc.constantFrom('x', 'y') });
    const step = fc.record({
      set: fc.dictionary(fc.constantFrom(...ids), row),
      diff: fc.constantFrom<Diff>('digest', 'rows', 'warehouse', 'warehouse'),
      trouble: fc.constantFrom('none', 'none', 'crash', 'dropped', 'emptied'),
    });
    const expected: string[] = [];
    const present = new Map<string, string>();
    await pollOnce(signal);
    for (const { set, diff, trouble } of fc.sample(step, { numRuns: 25, seed: 7 })) {
      await rows('model', ...Object.entries(set).map(([id, one]) => [id, one.score, one.note] as const));
      if (trouble === 'dropped' || trouble === 'emptied') await harm(await snapshotOf(signal), trouble);
      if (trouble === 'crash') await pollOnce({ ...signal, diff }, true).catch(() => {});
      const moves = advance(present, set);
      expected.push(...moves);
      // A crash happens only where there is something to commit; then this is the second attempt.
      await pollOnce({ ...signal, diff });
      const found = (await messages(signal)).map((line) => line.replace(/ \d+$/, ''));
      assert.deepEqual(found.sort(), [...expected].sort(), `${diff} after ${trouble}`);
    }
    assert.ok(expected.length > 30, `${expected.length} transitions`);
  });

  async function harm(table: string, how: string): Promise<void> {
    const { snapshots } = owned.warehouse;
    if (table === 'null' || !snapshots) return;
    const named = owned.named(table);
    const sql = how === 'dropped' ? `drop table ${named}` : `delete from ${named}`;
    await snapshots.write({ sql, params: [] }, { timeoutMs: 30_000 });
  }
}

const freely = { ...aSignal({}).guard, allowEmpty: true };

function pairs(...ids: string[]): [string, number][] {
  return ids.map((id) => [id, 1]);
}

/** What the next set means for the present one, and makes it so. The definition that every way must meet. */
function advance(
  present: Map<string, string>,
  set: Record<string, { score: number; note: string }>,
): string[] {
  const moves: string[] = [];
  for (const id of [...present.keys()])
    if (!set[id] || set[id].score < 0.3) {
      present.delete(id);
      moves.push(`left ${id}`);
    }
  for (const [id, { score, note }] of Object.entries(set)) {
    const before = present.get(id);
    if (before === undefined && score <= 0.7) continue;
    if (before === undefined && score > 0.7) moves.push(`entered ${id}`);
    else if (score >= 0.3 && before !== note) moves.push(`changed ${id}`);
    if (score >= 0.3) present.set(id, note);
  }
  return moves;
}
