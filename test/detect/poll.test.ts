import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Destination, Signal } from '../../src/config/model.ts';
import { bucketCount } from '../../src/detect/digest.ts';
import { type PollResult, poll } from '../../src/detect/poll.ts';
import { emit } from '../../src/emit/emit.ts';
import { findDeadLetters, retryDeadLetters } from '../../src/ledger/commands.ts';
import { loadWarehouse } from '../../src/warehouses/index.ts';
import type { Warehouse } from '../../src/warehouses/warehouse.ts';
import { freshDatabase, type TestDatabase } from '../helpers/postgres.ts';
import { aDestination, aSignal } from '../helpers/signal.ts';
import { duckdbFile, type TestWarehouse } from '../helpers/warehouse.ts';

let database: TestDatabase;
let team: TestWarehouse;
let warehouse: Warehouse;

before(async () => {
  database = await freshDatabase();
  team = await duckdbFile();
  await team.run('create table scores (signal text, id text, score double, note text, seen_at timestamptz)');
  const type = await loadWarehouse('duckdb');
  assert.ok(type);
  warehouse = await type.open(type.schema.parse({ path: team.path }));
});
after(async () => {
  await warehouse.close();
  await team.remove();
  await database.drop();
});

/** A signal over its own rows of the table; each test uses another name. */
function signalOf(name: string, facts: Partial<Signal> = {}): Signal {
  return aSignal({
    name,
    key: ['id'],
    sql: `select id, score, note, seen_at from scores where signal = '${name}'`,
    ...facts,
  });
}

async function rows(
  name: string,
  ...values: [id: string | null, score: number | null, note?: string][]
): Promise<void> {
  const list = values.map(
    ([id, score, note]) =>
      `('${name}', ${id === null ? 'null' : `'${id}'`}, ${score}, '${note ?? ''}', now())`,
  );
  await team.run(`delete from scores where signal = '${name}'; insert into scores values ${list.join(', ')}`);
}

async function pollOnce(
  signal: Signal,
  options: { destinations?: Destination[]; only?: string[]; from?: Warehouse } = {},
): Promise<PollResult> {
  const client = await database.pool.connect();
  try {
    const { rows: polls } = await client.query(
      "insert into polls (signal, scheduled_for, cause) values ($1, clock_timestamp(), 'manual') returning id",
      [signal.name],
    );
    return await poll(client, options.from ?? warehouse, signal, {
      signal: new AbortController().signal,
      only: options.only ?? [],
      emit: async (tx) => {
        await emit(
          tx,
          'test',
          polls[0].id,
          signal,
          options.destinations ?? [aDestination({ on: signal.on })],
        );
      },
    });
  } finally {
    client.release();
  }
}

async function messages(signal: Signal): Promise<string[]> {
  const { rows: found } = await database.pool.query(
    'select transition, entity, sequence from messages where signal = $1 order by detected_at, entity, sequence',
    [signal.name],
  );
  return found.map((row) => `${row.transition} ${row.entity} ${row.sequence}`);
}

async function actionStates(signal: Signal): Promise<string[]> {
  const { rows: found } = await database.pool.query(
    'select entity, transition, state from actions where signal = $1 order by entity, sequence',
    [signal.name],
  );
  return found.map((row) => `${row.entity} ${row.transition} ${row.state}`);
}

test('the first poll records a baseline and acts on nothing', async () => {
  const signal = signalOf('baseline', { when: 'score > 0.8' });
  await rows('baseline', ['a', 0.9], ['b', 0.1]);
  assert.equal((await pollOnce(signal)).state, 'baseline');
  assert.deepEqual(await messages(signal), []);
});

test('every query says to the warehouse which signal it is for', async () => {
  const guard = { maxNew: undefined, maxNewRatio: undefined, allowEmpty: false, maxAgeMs: 1e9 };
  const signal = signalOf('labelled', { on: ['changed'], observedAt: 'seen_at', guard });
  await rows('labelled', ['a', 1]);
  const labels: (string | undefined)[] = [];
  const listening: Warehouse = {
    ...warehouse,
    describe: (sql, read) => {
      labels.push(read.label);
      return warehouse.describe(sql, read);
    },
    read: (statement, read) => {
      labels.push(read.label);
      return warehouse.read(statement, read);
    },
  };
  assert.equal((await pollOnce(signal, { from: listening })).state, 'baseline');
  assert.deepEqual(labels, ['labelled', 'labelled', 'labelled', 'labelled']);
});

test('an empty first poll is a baseline too: what enters next is acted on', async () => {
  const signal = signalOf('empty');
  assert.equal((await pollOnce(signal)).state, 'baseline');
  await rows('empty', ['a', 1]);
  await pollOnce(signal);
  assert.deepEqual(await messages(signal), ['entered a 1']);
});

test('backfill: all acts on whoever is there at the first poll', async () => {
  const signal = signalOf('backfill', { backfill: 'all' });
  await rows('backfill', ['a', 1], ['b', 1]);
  await pollOnce(signal);
  assert.deepEqual(await messages(signal), ['entered a 1', 'entered b 1']);
});

test('entering, changing and leaving each make one message, in sequence', async () => {
  const signal = signalOf('life', {
    when: 'score > 0.8',
    on: ['entered', 'changed', 'left'],
    track: ['note'],
  });
  await pollOnce(signal);
  await rows('life', ['a', 0.9, 'one']);
  await pollOnce(signal);
  await rows('life', ['a', 0.95, 'one']);
  assert.equal((await pollOnce(signal)).changed, 0, 'score is not tracked');
  await rows('life', ['a', 0.95, 'two']);
  await pollOnce(signal);
  await rows('life', ['a', 0.2, 'two']);
  await pollOnce(signal);
  assert.deepEqual(await messages(signal), ['entered a 1', 'changed a 2', 'left a 3']);
});

test('an unchanged poll fetches digests and no rows', async () => {
  const signal = signalOf('unchanged');
  await team.run("insert into scores select 'unchanged', 'e' || i, 1, '', now() from range(60000) r (i)");
  await pollOnce(signal);
  const result = await pollOnce(signal);
  assert.equal(result.members, 60_000);
  assert.ok(result.rowsRead <= bucketCount, `${result.rowsRead} rows`);
});

test('between when and rearm an entity stays in, and does not enter again', async () => {
  const signal = signalOf('hysteresis', { when: 'score > 0.85', rearm: 'score < 0.75' });
  await pollOnce(signal);
  for (const score of [0.8, 0.9, 0.8, 0.9, 0.76, 0.9, 0.7, 0.8, 0.9]) {
    await rows('hysteresis', ['a', score]);
    await pollOnce(signal);
  }
  assert.deepEqual(await messages(signal), ['entered a 1', 'left a 2', 'entered a 3']);
});

test('a missed poll is derived by the next one', async () => {
  const signal = signalOf('missed');
  await rows('missed', ['a', 1], ['b', 1]);
  await pollOnce(signal);
  const failing = {
    ...signal,
    sql: `select *, error('warehouse down') as broken from (${signal.sql})`,
    track: ['broken'],
    on: ['changed' as const],
  };
  await rows('missed', ['b', 1], ['c', 1]);
  await assert.rejects(pollOnce(failing));
  await pollOnce(signal);
  assert.deepEqual((await messages(signal)).sort(), ['entered c 1', 'left a 1']);
});

for (const [name, facts, values, reason] of [
  ['null-key', {}, [[null, 1]], /rows have no id/],
  [
    'duplicate-key',
    {},
    [
      ['b', 1],
      ['b', 2],
    ],
    /b is returned more than once/,
  ],
  [
    'too-many',
    { guard: { maxNew: 1 } },
    [
      ['b', 1],
      ['c', 1],
    ],
    /2 entities would enter at once/,
  ],
  [
    'too-large',
    { guard: { maxNewRatio: 0.5 } },
    [
      ['a', 1],
      ['b', 1],
    ],
    /more than max_new_ratio/,
  ],
] as const) {
  test(`${name}: the poll is held with its reason, and nothing is forgotten`, async () => {
    const base = aSignal({ name }).guard;
    const signal = signalOf(name, { guard: { ...base, ...('guard' in facts ? facts.guard : {}) } });
    await rows(name, ['a', 1]);
    await pollOnce(signal);
    await rows(
      name,
      ['a', 1],
      ...(values as unknown as [string | null, number][]).filter(([id]) => id !== 'a'),
    );
    if (name === 'too-large') await rows(name, ['a', 1], ['b', 1]);
    const held = await pollOnce(signal);
    assert.equal(held.state, 'held');
    assert.match(held.reason ?? '', reason);
    await rows(name, ['a', 1]);
    assert.equal((await pollOnce(signal)).state, 'done');
    assert.deepEqual(await messages(signal), []);
  });
}

test('a poll without rows is held while entities are in the set, unless the guard allows it', async () => {
  const signal = signalOf('vanished');
  await rows('vanished', ['a', 1]);
  await pollOnce(signal);
  await team.run("delete from scores where signal = 'vanished'");
  assert.equal((await pollOnce(signal)).state, 'held');
  await pollOnce({ ...signal, guard: { ...signal.guard, allowEmpty: true } });
  assert.deepEqual(await messages(signal), ['left a 1']);
});

test('a stale source holds the poll', async () => {
  const signal = signalOf('stale', {
    observedAt: 'seen_at',
    guard: { ...aSignal({}).guard, maxAgeMs: 3_600_000 },
  });
  await team.run("insert into scores values ('stale', 'a', 1, '', now() - interval 2 hour)");
  const held = await pollOnce(signal);
  assert.equal(held.state, 'held');
  assert.match(held.reason ?? '', /older than max_age/);
});

test('freshness is judged on the source, not on who is in the set', async () => {
  const guard = { ...aSignal({}).guard, maxAgeMs: 3_600_000 };
  const signal = signalOf('fresh', { observedAt: 'seen_at', when: 'score > 0.8', guard });
  await team.run(
    "insert into scores values ('fresh', 'old', 0.9, '', now() - interval 2 hour), ('fresh', 'new', 0.1, '', now())",
  );
  assert.equal((await pollOnce(signal)).state, 'baseline');
  await team.run("delete from scores where signal = 'fresh' and id = 'old'");
  await pollOnce(signal);
  assert.deepEqual(await messages(signal), ['left old 1']);
});

test('members are who is in the set, not who hysteresis keeps an eye on', async () => {
  const signal = signalOf('counted', { when: 'score > 0.85', rearm: 'score < 0.75' });
  await rows('counted', ['in', 0.9], ['between', 0.8], ['out', 0.1]);
  assert.equal((await pollOnce(signal)).members, 1);
  await rows('counted', ['in', 0.8], ['between', 0.8], ['out', 0.1]);
  assert.equal((await pollOnce(signal)).members, 1);
  assert.equal((await pollOnce(signal)).members, 1, 'an unchanged poll says the same');
});

test('within the cooldown an entity that comes back is suppressed, and the ledger says why', async () => {
  const signal = signalOf('cooldown', { cooldownMs: 3_600_000 });
  await pollOnce(signal);
  await rows('cooldown', ['a', 1], ['x', 1]);
  await pollOnce(signal);
  await rows('cooldown', ['x', 1]);
  await pollOnce(signal);
  await rows('cooldown', ['a', 1], ['x', 1]);
  await pollOnce(signal);
  assert.deepEqual(
    (await actionStates(signal)).filter((line) => line.startsWith('a ')),
    ['a entered superseded', 'a left planned', 'a entered suppressed'],
  );
});

test('an action not yet sent is superseded by the transition that undoes it', async () => {
  const signal = signalOf('superseded');
  const destinations = [aDestination({ on: ['entered'] })];
  await rows('superseded', ['x', 1]);
  await pollOnce(signal, { destinations });
  await rows('superseded', ['a', 1], ['x', 1]);
  await pollOnce(signal, { destinations });
  await rows('superseded', ['x', 1]);
  await pollOnce(signal, { destinations });
  assert.deepEqual(await actionStates(signal), ['a entered superseded']);
});

test('every lane with work is known before a worker has taken it, so that fewer lanes later strand nothing', async () => {
  const signal = signalOf('laned');
  const destinations = [aDestination({ name: 'wide', lanes: 4 })];
  await pollOnce(signal, { destinations });
  await rows('laned', ['a', 1], ['b', 1], ['c', 1], ['d', 1], ['e', 1], ['f', 1], ['g', 1], ['h', 1]);
  await pollOnce(signal, { destinations });
  const { rows: found } = await database.pool.query(
    `select (select count(distinct lane) from actions where destination = 'wide') as used, count(*) as known
     from lanes where destination = 'wide'`,
  );
  assert.ok(found[0].used > 1);
  assert.equal(found[0].known, found[0].used);
});

test('a leaving that is still to be told is told before the coming back', async () => {
  const signal = signalOf('return', {});
  const destinations = [
    aDestination({ name: 'opens', on: ['entered'] }),
    aDestination({ name: 'closes', on: ['left'] }),
  ];
  await rows('return', ['x', 1]);
  await pollOnce(signal, { destinations });
  await rows('return', ['a', 1], ['x', 1]);
  await pollOnce(signal, { destinations });
  await database.pool.query(
    "update actions set state = 'verified', due_at = null, settled_at = now() where signal = 'return'",
  );
  await rows('return', ['x', 1]);
  await pollOnce(signal, { destinations });
  await rows('return', ['a', 1], ['x', 1]);
  await pollOnce(signal, { destinations });
  assert.deepEqual(await actionStates(signal), ['a entered verified', 'a left planned', 'a entered planned']);
});

test('an action that was ever sent is not superseded: it may have had its effect', async () => {
  const signal = signalOf('sent', {});
  const destinations = [aDestination({ on: ['entered', 'left'] })];
  await rows('sent', ['x', 1]);
  await pollOnce(signal, { destinations });
  await rows('sent', ['a', 1], ['x', 1]);
  await pollOnce(signal, { destinations });
  await database.pool.query("update actions set state = 'ready', attempts = 1 where signal = 'sent'");
  await rows('sent', ['x', 1]);
  await pollOnce(signal, { destinations });
  assert.deepEqual(await actionStates(signal), ['a entered ready', 'a left planned']);
});

test('nor is one that was sent, failed, and was given new attempts by a person', async () => {
  const signal = signalOf('retried', {});
  const destinations = [aDestination({ on: ['entered', 'left'] })];
  await rows('retried', ['x', 1]);
  await pollOnce(signal, { destinations });
  await rows('retried', ['a', 1], ['x', 1]);
  await pollOnce(signal, { destinations });
  await database.pool.query(
    "update actions set state = 'escalated', attempts = 1, due_at = null, settled_at = now() where signal = 'retried'",
  );
  const names = destinations.map((one) => one.name);
  const letters = await findDeadLetters(database.pool, {
    states: ['escalated'],
    signals: ['retried'],
    destinations: names,
    only: [],
  });
  await retryDeadLetters(database.pool, letters, new Map(names.map((name) => [name, 3_600_000])));
  await rows('retried', ['x', 1]);
  await pollOnce(signal, { destinations });
  assert.deepEqual(await actionStates(signal), ['a entered ready', 'a left planned']);
});

test('a change that a destination did not ask for leaves its pending action alone', async () => {
  const signal = signalOf('kept', { on: ['entered', 'changed'], track: ['score'] });
  const destinations = [aDestination({ on: ['entered'] })];
  await pollOnce(signal, { destinations });
  await rows('kept', ['a', 1]);
  await pollOnce(signal, { destinations });
  await rows('kept', ['a', 2]);
  await pollOnce(signal, { destinations });
  assert.deepEqual(await actionStates(signal), ['a entered planned']);
});

test('with --only, the others are left for the next poll', async () => {
  const signal = signalOf('only');
  await rows('only', ['x', 1]);
  await pollOnce(signal);
  await rows('only', ['x', 1], ['a', 1], ['b', 1]);
  await pollOnce(signal, { only: ['b'] });
  assert.deepEqual(await messages(signal), ['entered b 1']);
  await pollOnce(signal);
  assert.deepEqual((await messages(signal)).sort(), ['entered a 1', 'entered b 1']);
});

test('with --only, who has left a bucket that nobody is in any more is found by the next poll', async () => {
  const signal = signalOf('only-left', { guard: { ...aSignal({}).guard, allowEmpty: true } });
  await rows('only-left', ['a', 1], ['b', 1]);
  await pollOnce(signal);
  await team.run("delete from scores where signal = 'only-left'");
  await pollOnce(signal, { only: ['b'] });
  await pollOnce(signal);
  assert.deepEqual(await messages(signal), ['left b 1', 'left a 1']);
});

test('with --only, a signal that was never polled acts on the chosen entity and records the rest', async () => {
  const signal = signalOf('only-first');
  await rows('only-first', ['a', 1], ['b', 1]);
  await pollOnce(signal, { only: ['a'] });
  assert.deepEqual(await messages(signal), ['entered a 1']);
  await pollOnce(signal);
  assert.deepEqual(await messages(signal), ['entered a 1']);
});

test('a new shape takes a new baseline instead of reporting everything as changed', async () => {
  const signal = signalOf('reshaped', { on: ['entered', 'changed'], track: ['note'] });
  await rows('reshaped', ['a', 1, 'n']);
  await pollOnce(signal);
  const reshaped = { ...signal, track: ['score'], shape: 'another' };
  assert.equal((await pollOnce(reshaped)).state, 'baseline');
  assert.deepEqual(await messages(signal), []);
});

test('keys of several columns cannot be confused with each other', async () => {
  const signal = aSignal({
    name: 'composite',
    key: ['id', 'note'],
    sql: "select id, note from scores where signal = 'composite'",
  });
  await pollOnce(signal);
  await team.run(
    "insert into scores values ('composite', 'a', 1, 'b,c', now()), ('composite', 'a,b', 1, 'c', now())",
  );
  await pollOnce(signal);
  assert.deepEqual(await messages(signal), ['entered ["a","b,c"] 1', 'entered ["a,b","c"] 1']);
});

test('keys with tabs, newlines and backslashes survive', async () => {
  const signal = signalOf('odd');
  await pollOnce(signal);
  await team.run("insert into scores values ('odd', 'a' || chr(9) || 'b' || chr(10) || '\\N', 1, '', now())");
  await pollOnce(signal);
  assert.deepEqual(await messages(signal), ['entered a\tb\n\\N 1']);
});

test('detected and planned agree in the balance, for every signal of this file', async () => {
  const { rows: unbalanced } = await database.pool.query('select * from balance where unaccounted <> 0');
  assert.deepEqual(unbalanced, []);
  const { rows: counted } = await database.pool.query('select sum(detected) as detected from balance');
  assert.ok(Number(counted[0].detected) > 10);
});
