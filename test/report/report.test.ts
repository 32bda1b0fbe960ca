import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { type ActionState, actionStates, reportColumns } from '../../src/ledger/state.ts';
import type { Activation, Counts, Report } from '../../src/report/model.ts';
import { buildReport } from '../../src/report/report.ts';
import { freshDatabase } from '../helpers/postgres.ts';
import { expected } from './expected.ts';
import { at, clear, hour, type SeedAction, seed } from './seed.ts';

const { pool } = await freshDatabase();
// Chosen so that the random actions fall on both sides of the SLA and of what counts as delayed.
const slas = new Map([['churn', 800_000]]);
const nowMs = 3 * hour + 900_000;
const now = at(nowMs);
const report = (options: object = {}): Promise<Report> => buildReport(pool, { now, slas, ...options });

describe('the report', () => {
  beforeEach(() => clear(pool));

  it('agrees with counting every action by hand, whatever they are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyAction, { minLength: 1, maxLength: 60 }), async (actions) => {
        await clear(pool);
        await seed(pool, actions);
        const built = await report();
        compare(built.totals, actions);
        for (const pair of built.pairs) {
          const { signal, destination } = pair;
          const ours = actions.filter((one) => one.signal === signal && one.destination === destination);
          compare(pair, ours);
          near(pair.oldestOpen?.ageMs ?? null, expected(ours, nowMs, (name) => slas.get(name)).oldestAge);
        }
        assert.equal(sum(built.pairs.map((pair) => pair.detected)), actions.length);
      }),
      { numRuns: 25 },
    );
  });

  it('gives every action that is not verified exactly one reason line', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyAction, { maxLength: 60 }), async (actions) => {
        await clear(pool);
        await seed(pool, actions);
        const { reasons, totals } = await report();
        assert.equal(sum(reasons.map((group) => group.count)), totals.detected - totals.verified);
        const inFlight = reasons.filter(({ kind }) => kind === 'in_flight' || kind === 'delayed');
        assert.equal(sum(inFlight.map((group) => group.count)), totals.in_flight);
      }),
      { numRuns: 10 },
    );
  });

  it('is all zeros, and not an error, on an empty ledger', async () => {
    const built = await report();
    assert.deepEqual(built.pairs, []);
    assert.equal(built.totals.detected, 0);
    assert.equal(built.totals.unaccounted, 0);
    assert.equal(built.totals.time.total, null);
    assert.equal(built.totals.sla.attainment, null);
    assert.deepEqual(built.deadLetters, { total: 0, shown: [] });
  });

  it('shows a lost action as unaccounted, and a made-up one as less than nothing', async () => {
    await seed(pool, [action({}), action({}), action({ destination: 'slack' })]);
    await pool.query(`delete from actions where entity = 'E1'`);
    await pool.query(`delete from detections where destination = 'slack'`);
    const built = await report();
    const lost = Object.fromEntries(built.pairs.map((pair) => [pair.destination, pair.unaccounted]));
    assert.deepEqual(lost, { crm: 1, slack: -1 });
    assert.equal(built.totals.unaccounted, 2);
  });

  it('makes a period of whole polls, so that the one running at its beginning does not tear the sum', async () => {
    // The poll of hour 1 detects over ten minutes; the period begins in the middle of it.
    await seed(pool, [
      action({ poll: 0 }),
      action({ poll: 1, detected: 60_000 }),
      action({ poll: 1, detected: 600_000 }),
      action({ poll: 2 }),
      action({ poll: 3 }),
    ]);
    const { totals } = await report({ since: at(hour + 300_000) });
    assert.equal(totals.detected, 2);
    assert.equal(totals.verified, 2);
    assert.equal(totals.unaccounted, 0);
  });

  it('keeps the messages of a poll that was begun again after a crash in the period of its last beginning', async () => {
    await seed(pool, [action({ poll: 1, detected: 1_000 })]);
    await pool.query('update polls set started_at = $1', [at(2 * hour)]);
    const { totals } = await report({ since: at(1.5 * hour) });
    assert.equal(totals.detected, 1);
    assert.equal(totals.unaccounted, 0);
  });

  it('counts only the signals and destinations asked for', async () => {
    await seed(pool, [
      action({}),
      action({ destination: 'slack', state: 'rejected' }),
      action({ signal: 'stock', destination: 'slack' }),
    ]);
    const built = await report({ signals: ['churn'], destinations: ['slack'] });
    assert.deepEqual(
      built.pairs.map(({ signal, destination }) => [signal, destination]),
      [['churn', 'slack']],
    );
    assert.equal(built.totals.detected, 1);
    assert.equal(built.totals.failed, 1);
    assert.equal(built.deadLetters.total, 1);
  });

  it('takes a reason that differs only by ids, times and addresses for one, and names who for example', async () => {
    const reasons = [
      'CONFLICT: contact 10245 exists',
      'CONFLICT: contact 99871 exists',
      'CONFLICT: contact 5520 exists',
    ];
    await seed(pool, [
      ...reasons.map((reason) => action({ state: 'rejected', reason })),
      action({ state: 'rejected', reason: 'http 409: ann@acme.example is taken' }),
      action({ state: 'dead', reason: 'http 409: bob@acme.example is taken' }),
      action({ state: 'dead', reason: 'http 500: try later' }),
    ]);
    const groups = (await report()).reasons.map(({ kind, reason, count, examples }) => [
      kind,
      reason,
      count,
      examples,
    ]);
    assert.deepEqual(groups, [
      ['failed', 'CONFLICT: contact … exists', 3, ['E0', 'E2']],
      ['failed', 'http 409: … is taken', 2, ['E3', 'E4']],
      ['failed', 'http 500: try later', 1, ['E5']],
    ]);
  });

  it('sums up rare reasons in one line rather than list hundreds', async () => {
    const letters = [...'abcdefghijklmno'];
    await seed(
      pool,
      letters.map((letter) => action({ state: 'rejected', reason: `no field ${letter}` })),
    );
    const { reasons } = await report();
    assert.equal(reasons.length, 11);
    assert.deepEqual(
      { reason: reasons.at(-1)?.reason, count: reasons.at(-1)?.count },
      { reason: 'other reasons', count: 5 },
    );
  });

  it('lists the fifty newest dead letters and says how many there are', async () => {
    await seed(
      pool,
      Array.from({ length: 60 }, (_, index) =>
        action({ state: 'dead', reason: 'gone', settled: index * 1_000 }),
      ),
    );
    const { deadLetters } = await report();
    assert.equal(deadLetters.total, 60);
    assert.equal(deadLetters.shown.length, 50);
    assert.equal(deadLetters.shown[0]?.entity, 'E59');
    assert.equal(deadLetters.shown[0]?.reason, 'gone');
    assert.deepEqual(deadLetters.shown[0]?.settledAt, at(59_000));
  });

  it('says which polls did not look, and why', async () => {
    await pool.query(`
      insert into polls (signal, scheduled_for, cause, state, reason, finished_at) values
        ('churn', '2026-03-01 00:00Z', 'schedule', 'done', null, '2026-03-01 00:01Z'),
        ('churn', '2026-03-01 01:00Z', 'schedule', 'held', '0 rows', '2026-03-01 01:01Z'),
        ('churn', '2026-03-01 02:00Z', 'schedule', 'held', '0 rows', '2026-03-01 02:01Z')`);
    const polls = (await report()).polls.map(({ state, reason, count }) => [state, reason, count]);
    assert.deepEqual(polls, [
      ['done', null, 1],
      ['held', '0 rows', 2],
    ]);
    assert.equal((await report({ since: at(2 * hour) })).polls[0]?.count, 1);
  });

  it('says what is stopped: an open breaker, a rate limit, a pause by a person', async () => {
    await pool.query(
      `
      insert into connections (name, breaker, retry_at, last_error, failures, paused_until, pause_reason) values
        ('hubspot', 'open', $1, 'AUTH: token refused', 6, null, null),
        ('slack', 'closed', null, null, 0, $1, '429'),
        ('zendesk', 'closed', null, null, 0, $2, 'over')`,
      [at(5 * hour), at(hour)],
    );
    await pool.query(`
      insert into destinations (name, connection, paused_at, paused_reason) values
        ('crm', 'hubspot', '2026-03-01', 'migration'), ('team', 'slack', null, null)`);
    const { stopped, paused } = await report();
    assert.deepEqual(
      stopped.map((one) => [one.connection, one.breaker, one.lastError, one.pausedReason, one.destinations]),
      [
        ['hubspot', 'open', 'AUTH: token refused', null, ['crm']],
        ['slack', 'closed', null, '429', ['team']],
      ],
    );
    assert.deepEqual(stopped[0]?.retryAt, at(5 * hour));
    assert.deepEqual(paused, [
      { kind: 'destination', name: 'crm', pausedAt: new Date('2026-03-01T00:00Z'), reason: 'migration' },
    ]);
    assert.deepEqual(
      (await report({ destinations: ['team'] })).stopped.map((one) => one.connection),
      ['slack'],
    );
  });

  it('measures ages by the database clock when no other is given', async () => {
    await seed(pool, [action({ state: 'accepted' })]);
    await pool.query(`update actions set detected_at = clock_timestamp() - interval '10 minutes'`);
    const { pairs } = await buildReport(pool, { slas: new Map() });
    const age = pairs[0]?.oldestOpen?.ageMs ?? 0;
    assert.ok(age >= 600_000 && age < 660_000, `${age} ms`);
  });
});

function action(change: Partial<SeedAction>): SeedAction {
  return { signal: 'churn', destination: 'crm', state: 'verified', ...change };
}

const offset = fc.integer({ min: 0, max: 300_000 });
const anyAction: fc.Arbitrary<SeedAction> = fc.record({
  signal: fc.constantFrom('churn', 'stock'),
  destination: fc.constantFrom('crm', 'slack'),
  // Half of them verified, or there is little to measure.
  state: fc.oneof(fc.constant<ActionState>('verified'), fc.constantFrom(...actionStates)),
  poll: fc.integer({ min: 0, max: 3 }),
  reason: fc.option(fc.constantFrom('409: taken', 'paused', 'contact 12345')),
  detected: offset,
  observed: fc.option(fc.integer({ min: -3_600_000, max: 310_000 })),
  sent: fc.option(offset.map((ms) => 300_000 + ms)),
  accepted: fc.option(offset.map((ms) => 400_000 + ms)),
  settled: offset.map((ms) => 700_000 + ms),
  tries: fc.integer({ min: 0, max: 5 }),
  attempts: fc.array(
    fc.record({
      kind: fc.constantFrom('write' as const, 'read' as const),
      outcome: fc.constantFrom('intent', 'applied', 'verified', 'throttled', 'unavailable', 'ambiguous'),
    }),
    { maxLength: 4 },
  ),
});

function compare(built: Activation, actions: readonly SeedAction[]): void {
  const wanted = expected(actions, nowMs, (signal) => slas.get(signal));
  assert.equal(built.detected, wanted.detected);
  assert.equal(built.unaccounted, 0);
  const columns = Object.keys(reportColumns) as (keyof Counts)[];
  for (const column of columns) {
    const states: readonly ActionState[] = reportColumns[column];
    assert.equal(built[column], actions.filter(({ state }) => states.includes(state)).length, column);
  }
  assert.equal(sum(columns.map((column) => built[column])), built.detected);
  assert.equal(built.delayed, wanted.delayed);
  const { limitMs: _, ...sla } = built.sla;
  assert.deepEqual(sla, wanted.sla);
  assert.deepEqual(built.attempts, wanted.attempts);
  for (const [stage, percentiles] of Object.entries(built.time)) {
    const other = wanted.time[stage as keyof typeof wanted.time];
    for (const share of ['p50', 'p95', 'p99'] as const)
      near(percentiles?.[share] ?? null, other?.[share] ?? null);
  }
}

function near(value: number | null, wanted: number | null): void {
  if (value === null || wanted === null) assert.equal(value, wanted);
  else assert.ok(Math.abs(value - wanted) < 0.01, `${value} is not ${wanted}`);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
