import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { budgetOf } from '../../src/ledger/permits.ts';
import { queries } from '../../src/store/queries.ts';
import { freshDatabase, type TestDatabase } from '../helpers/postgres.ts';

const sql = queries('connections');
const callTimeoutMs = 2_000;

let database: TestDatabase;
before(async () => {
  database = await freshDatabase();
});
after(() => database.drop());

/** What one call meets, in milliseconds from one point to the next. */
interface Fate {
  /** From the draw to the call; more than a permit's life: the permit goes back unused. */
  idleMs: number;
  /** From the call until the vendor counts it, and from there to the answer. */
  thereMs: number;
  backMs: number;
  /** From the answer until the ledger hears of it. */
  tellMs: number;
  /** The worker dies with the call under way, and tells nobody. */
  dies: boolean;
}

interface Scenario {
  requests: number;
  perMs: number;
  /** How many permits each worker asks for at a time. */
  workers: number[];
  fates: Fate[];
  calls: number;
  /** Without a pace all that is free goes out at once. */
  paced: boolean;
}

/**
 * Workers that always have something to send, on a clock that is moved by hand; every draw and every giving back is the
 * real statement on the real row. Workers have no clock at all but for the life of a permit.
 *
 * @returns when the vendor counted each call
 */
async function simulate({ requests, perMs, workers, fates, calls, paced }: Scenario): Promise<number[]> {
  const connection = crypto.randomUUID();
  const budget = budgetOf({ requests, perMs }, callTimeoutMs);
  if (!paced) Object.assign(budget, { burst: budget.permits, paceSeconds: 1e-6 });
  await sql.run(database.pool, 'register_connection', { connection, permits: budget.permits });
  const counted: number[] = [];
  const agenda: { at: number; act: (at: number) => Promise<void> }[] = [];
  const plan = (at: number, act: (at: number) => Promise<void>) => void agenda.push({ at, act });
  const time = (at: number) => new Date(Date.UTC(2026, 0, 1) + at).toISOString();
  let drawn = 0;

  const giveBack = (number: number, heldUntil: string, used: boolean) => async (at: number) => {
    const window_seconds = budget.windowSeconds;
    const one = { numbers: [number], held_until: [heldUntil], used: [used] };
    await sql.run(database.pool, 'give_back', { connection, ...one, window_seconds, now: time(at) });
  };
  const work = (wanted: number) => async (at: number) => {
    const draw = await sql.one<{ numbers: number[]; held_until: string; wait_ms: number }>(
      database.pool,
      'draw',
      {
        connection,
        wanted,
        burst: budget.burst,
        pace_seconds: budget.paceSeconds,
        window_seconds: budget.windowSeconds,
        hold_seconds: budget.holdSeconds,
        probe_seconds: 30,
        now: time(at),
      },
    );
    for (const number of draw?.numbers ?? []) {
      const fate = fates[drawn++ % fates.length] as Fate;
      const heldUntil = draw?.held_until ?? '';
      const sentAt = at + fate.idleMs;
      if (fate.idleMs > 500) {
        plan(sentAt, giveBack(number, heldUntil, false));
        continue;
      }
      counted.push(sentAt + fate.thereMs);
      const toldAt = sentAt + fate.thereMs + fate.backMs + fate.tellMs;
      if (!fate.dies) plan(toldAt, giveBack(number, heldUntil, true));
    }
    if (counted.length < calls) plan(at + Math.max(1, draw?.wait_ms ?? 1), work(wanted));
  };

  for (const wanted of workers) plan(0, work(wanted));
  for (let steps = 0; agenda.length > 0 && steps < 20 * calls; steps += 1) {
    agenda.sort((one, other) => one.at - other.at);
    const next = agenda.shift();
    await next?.act(next.at);
  }
  return counted.sort((one, other) => one - other);
}

test('however calls of several workers interleave, no window of the vendor holds more than its limit', async () => {
  // A call's deadline bounds the way there and back; what is told too late finds the permit in other hands.
  const fate = fc.record({
    idleMs: fc.oneof({ weight: 5, arbitrary: fc.nat(20) }, { weight: 1, arbitrary: fc.nat(1_500) }),
    thereMs: fc.oneof({ weight: 5, arbitrary: fc.nat(100) }, { weight: 1, arbitrary: fc.nat(1_000) }),
    backMs: fc.oneof({ weight: 5, arbitrary: fc.nat(100) }, { weight: 1, arbitrary: fc.nat(1_000) }),
    tellMs: fc.oneof({ weight: 5, arbitrary: fc.nat(20) }, { weight: 1, arbitrary: fc.nat(30_000) }),
    dies: fc.integer({ min: 0, max: 20 }).map((number) => number === 0),
  });
  const scenario = fc.record({
    requests: fc.integer({ min: 1, max: 30 }),
    perMs: fc.constantFrom(100, 1_000, 10_000, 60_000),
    workers: fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 4 }),
    fates: fc.array(fate, { minLength: 1, maxLength: 30 }),
    calls: fc.constant(100),
    paced: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async (given) => {
      const counted = await simulate(given);
      for (let first = 0; first + given.requests < counted.length; first += 1) {
        const spanMs = (counted[first + given.requests] ?? 0) - (counted[first] ?? 0);
        assert.ok(spanMs >= given.perMs, `${given.requests + 1} calls in ${spanMs} ms of ${given.perMs}`);
      }
    }),
    { numRuns: 40 },
  );
});

test('a permit given back by a worker that was believed dead stays with whoever has it now', async () => {
  const connection = 'late';
  await sql.run(database.pool, 'register_connection', { connection, permits: 1 });
  const time = (at: number) => new Date(Date.UTC(2026, 0, 1) + at).toISOString();
  const draw = (at: number) =>
    sql.one<{ held_until: string }>(database.pool, 'draw', {
      connection,
      wanted: 1,
      burst: 1,
      pace_seconds: 0.1,
      window_seconds: 1,
      hold_seconds: 2,
      probe_seconds: 30,
      now: time(at),
    });
  const dead = await draw(0);
  const alive = await draw(2_001);
  const returned = { numbers: [1], held_until: [dead?.held_until], used: [true] };
  await sql.run(database.pool, 'give_back', { connection, ...returned, window_seconds: 1, now: time(2_002) });
  const { rows } = await database.pool.query<{ free_at: string }>(
    "select permits[1]::text as free_at from connections where name = 'late'",
  );
  assert.equal(rows[0]?.free_at, alive?.held_until);
});

test('workers that always have something to send use at least 98 % of a limit whose window is 100 times a call', async () => {
  const fate = fc.record({
    idleMs: fc.nat(2),
    thereMs: fc.nat(40),
    backMs: fc.nat(40),
    tellMs: fc.nat(10),
    dies: fc.constant(false),
  });
  const scenario = fc.record({
    requests: fc.integer({ min: 20, max: 120 }),
    perMs: fc.constant(10_000),
    workers: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
    fates: fc.array(fate, { minLength: 5, maxLength: 30 }),
    paced: fc.constant(true),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async (given) => {
      const { requests, perMs } = given;
      const windows = 5;
      const counted = await simulate({ ...given, calls: (windows + 1) * requests + 10 });
      const tookMs = (counted[(windows + 1) * requests] ?? Number.NaN) - (counted[requests] ?? 0);
      const use = (windows * perMs) / tookMs;
      assert.ok(use >= 0.98 && use <= 1, `${use}`);
    }),
    { numRuns: 10 },
  );
});
