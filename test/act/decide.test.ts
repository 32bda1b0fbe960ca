import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backoffMs } from '../../src/act/backoff.ts';
import { decideOutcome } from '../../src/act/decide.ts';
import type { Outcome, Reading } from '../../src/connectors/connector.ts';
import type { Call } from '../../src/ledger/action.ts';
import { moves } from '../../src/ledger/state.ts';
import { decideReading, decideUnverifiable, type VerifyPolicy } from '../../src/verify/decide.ts';
import { anAction } from '../helpers/action.ts';

const outcomes: fc.Arbitrary<Outcome> = fc.oneof(
  fc.record({ kind: fc.constantFrom('applied' as const, 'already' as const), id: fc.string() }),
  fc.record({
    kind: fc.constant('rejected' as const),
    code: fc.string(),
    reason: fc.string(),
    permanent: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('throttled' as const),
    retryAfterMs: fc.option(fc.nat(100_000)),
    reason: fc.string(),
  }),
  fc.record({ kind: fc.constant('unavailable' as const), code: fc.string(), reason: fc.string() }),
  fc.record({ kind: fc.constant('ambiguous' as const), reason: fc.string() }),
);

const readings: fc.Arbitrary<Reading> = fc.oneof(
  fc.record({ kind: fc.constant('found' as const), id: fc.string(), fields: fc.constant({}) }),
  fc.constant({ kind: 'absent' as const }),
  fc.record({ kind: fc.constantFrom('unreadable' as const, 'failed' as const), reason: fc.string() }),
  fc.record({
    kind: fc.constant('throttled' as const),
    retryAfterMs: fc.option(fc.nat(100_000)),
    reason: fc.string(),
  }),
  fc.record({ kind: fc.constant('unavailable' as const), code: fc.string(), reason: fc.string() }),
);

const policies: fc.Arbitrary<VerifyPolicy> = fc.record({
  idempotency: fc.constantFrom('keyed', 'upsert', 'marker', 'none'),
  lagMs: fc.nat(60_000),
  withinMs: fc.nat(600_000),
  maxAttempts: fc.integer({ min: 1, max: 10 }),
  underWayMs: fc.nat(30_000),
});

const write: Call = { kind: 'write', at: 0, duration_ms: 10 };
const read: Call = { kind: 'read', at: 0, duration_ms: 5 };

/** Waits a second for a record to show, and a minute for reads that fail. */
const patient: VerifyPolicy = {
  idempotency: 'keyed',
  lagMs: 1_000,
  withinMs: 60_000,
  maxAttempts: 5,
  underWayMs: 1_000,
};

const counts = fc.record({
  attempts: fc.nat(10),
  corrections: fc.nat(3),
  absences: fc.nat(3),
  waited_ms: fc.nat(1_000_000),
});

test('every outcome of a write leads along an edge of the graph, to a state with a due time or an end', () => {
  fc.assert(
    fc.property(outcomes, counts, (outcome, count) => {
      const move = decideOutcome(anAction({ ...count, state: 'sending' }), outcome, 5, write);
      assert.ok(moves.sending.includes(move.state), move.state);
      assert.equal(move.settled, move.due_in_ms === null);
    }),
  );
});

test('no outcome of a write is ever verified', () => {
  fc.assert(
    fc.property(outcomes, (outcome) => {
      assert.notEqual(decideOutcome(anAction({ state: 'sending' }), outcome, 5, write).state, 'verified');
    }),
  );
});

test('a 429 and a dead connection are not attempts, everything else is', () => {
  fc.assert(
    fc.property(outcomes, counts, (outcome, count) => {
      const action = anAction({ ...count, state: 'sending' });
      const free = outcome.kind === 'throttled' || outcome.kind === 'unavailable';
      assert.equal(decideOutcome(action, outcome, 5, write).attempts, action.attempts + (free ? 0 : 1));
    }),
  );
});

test('every reading leads along an edge of the graph or waits in place', () => {
  fc.assert(
    fc.property(
      readings,
      counts,
      policies,
      fc.constantFrom('accepted' as const, 'unknown' as const),
      fc.array(fc.string(), { maxLength: 2 }),
      (reading, count, policy, state, differing) => {
        const move = decideReading(anAction({ ...count, state }), reading, differing, policy, read);
        assert.ok(move.state === state || moves[state].includes(move.state), move.state);
        assert.equal(move.settled, move.due_in_ms === null);
        assert.ok((move.due_in_ms ?? 0) >= 0);
      },
    ),
  );
});

test('what can never be asked is done by a yes, and sent again without one only where that does no harm', () => {
  const accepted = decideUnverifiable(anAction({ state: 'accepted' }), 'it cannot be asked', patient);
  assert.deepEqual([accepted.state, accepted.settled], ['unverifiable', true]);
  fc.assert(
    fc.property(counts, policies, (count, policy) => {
      const move = decideUnverifiable(anAction({ ...count, state: 'unknown' }), 'it cannot be asked', policy);
      assert.ok(moves.unknown.includes(move.state), move.state);
      const harmless =
        ['keyed', 'upsert'].includes(policy.idempotency) && count.attempts < policy.maxAttempts;
      assert.equal(move.state, harmless ? 'ready' : 'escalated');
      assert.equal(move.generation, 0, 'the key that protects from the first write is kept');
    }),
  );
});

test('only a record that was found with every field as sent is verified', () => {
  fc.assert(
    fc.property(
      readings,
      counts,
      policies,
      fc.array(fc.string(), { maxLength: 2 }),
      (reading, count, policy, fields) => {
        const move = decideReading(anAction({ ...count, state: 'accepted' }), reading, fields, policy, read);
        assert.equal(move.state === 'verified', reading.kind === 'found' && fields.length === 0);
      },
    ),
  );
});

test('nothing is sent again before absence or difference can be believed', () => {
  fc.assert(
    fc.property(readings, counts, policies, (reading, count, policy) => {
      const action = anAction({ ...count, state: 'unknown' });
      const move = decideReading(action, reading, ['subject'], policy, read);
      if (move.state === 'ready') assert.ok(count.waited_ms >= policy.lagMs);
    }),
  );
});

test('an ambiguous write to a destination without any key is never sent again by itself', () => {
  fc.assert(
    fc.property(readings, counts, policies, (reading, count, policy) => {
      const action = anAction({ ...count, state: 'unknown' });
      const move = decideReading(action, reading, ['subject'], { ...policy, idempotency: 'none' }, read);
      assert.notEqual(move.state, 'ready');
    }),
  );
});

test('one absent read is not proof: the first is followed by a second', () => {
  const first = decideReading(
    anAction({ state: 'accepted', waited_ms: 5_000 }),
    { kind: 'absent' },
    [],
    patient,
    read,
  );
  assert.equal(first.state, 'accepted');
  const second = decideReading(
    anAction({ state: 'accepted', waited_ms: 6_000, absences: first.absences }),
    { kind: 'absent' },
    [],
    patient,
    read,
  );
  assert.equal(second.state, 'ready');
  assert.equal(second.generation, 1, 'an answered key would be replayed, so the next write uses a new one');
});

test('a read that fails once, however late, is tried again: the waiting may have been our own', () => {
  let action = anAction({ state: 'accepted', waited_ms: 3_600_000 });
  const failed: Reading = { kind: 'failed', reason: 'HTTP 500' };
  for (let failure = 1; failure <= 9; failure += 1) {
    const move = decideReading(action, failed, [], patient, read);
    assert.equal(move.state, 'accepted', `after ${failure}`);
    action = anAction({ ...action, unread: move.unread });
  }
  assert.equal(decideReading(action, failed, [], patient, read).state, 'escalated');
});

test('only a rewrite that was answered uses up a correction', () => {
  const policy: VerifyPolicy = { ...patient, idempotency: 'upsert', lagMs: 0 };
  const found: Reading = { kind: 'found', id: '1', fields: {} };
  const answered = decideReading(anAction({ state: 'accepted' }), found, ['subject'], policy, read);
  const unanswered = decideReading(anAction({ state: 'unknown' }), found, ['subject'], policy, read);
  assert.deepEqual([answered.corrections, unanswered.corrections], [1, 0]);
  assert.deepEqual([answered.state, unanswered.state], ['ready', 'ready']);
});

test('backoff grows, is jittered, and stays between 0.2 s and 10 min', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (attempt, random) => {
        const wait = backoffMs(attempt, random);
        assert.ok(wait >= 200 && wait <= 600_000, String(wait));
        assert.ok(backoffMs(attempt + 1, random) >= wait);
      },
    ),
  );
  assert.notEqual(backoffMs(5, 0.1), backoffMs(5, 0.9));
});
