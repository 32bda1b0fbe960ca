import type { Idempotency, Reading } from '../connectors/connector.ts';
import { type Action, type Call, type Move, move } from '../ledger/action.ts';

export interface VerifyPolicy {
  idempotency: Idempotency;
  /** How long a write may take to become readable; absence and difference are believed only after it. */
  lagMs: number;
  /** How long a read-back may keep failing, at least, before a person is asked. */
  withinMs: number;
  maxAttempts: number;
  /** How long after its intent a write without an answer may still be under way: until it may begin, and one call. */
  underWayMs: number;
}

/** A wrong value is written again at most this often; a vendor that keeps changing it will not be argued with. */
const maxCorrections = 2;
const requiredAbsences = 2;
/**
 * Reads that must have failed in a row before a person is asked: the waiting may have been our own. Where three calls in ten
 * are refused, one action in 400 meets five refused reads in a row, one in 170,000 ten.
 */
const requiredFailures = 10;

/**
 * What a read-back means for an action.
 *
 * @param differing names of the fields whose canonical value is not what was sent; empty when all agree
 */
export function decideReading(
  action: Action,
  reading: Reading,
  differing: readonly string[],
  policy: VerifyPolicy,
  call: Call,
): Move {
  const waited = action.waited_ms ?? 0;
  const again = (outcome: string, reason: string, dueInMs: number, absences = action.absences): Move =>
    move(action, {
      call,
      state: action.state,
      outcome,
      decision: 'read again',
      reason,
      due_in_ms: dueInMs,
      absences,
    });

  switch (reading.kind) {
    case 'found':
      if (differing.length === 0) {
        return move(action, {
          call,
          state: 'verified',
          outcome: 'verified',
          decision: 'done',
          reason: action.state === 'unknown' ? 'the write was not confirmed, but the record is there' : null,
          external_id: reading.id,
        });
      }
      if (waited < policy.lagMs) return again('differs', differs(differing), patience(waited, policy.lagMs));
      return decideDifference(action, reading.id, differing, policy, call);
    case 'absent': {
      const believableAfter = policy.lagMs + (action.state === 'unknown' ? policy.underWayMs : 0);
      if (waited < believableAfter)
        return again('missing', 'not there yet', patience(waited, believableAfter));
      const absences = action.absences + 1;
      if (absences < requiredAbsences) return again('missing', 'not there; reading once more', 500, absences);
      return decideAbsence(action, policy, call);
    }
    case 'unreadable':
      return move(action, {
        call,
        state: 'escalated',
        outcome: 'unverifiable',
        decision: 'ask a person',
        reason: `cannot be read back: ${reading.reason}`,
      });
    case 'failed':
      if (waited > policy.withinMs && action.unread + 1 >= requiredFailures) {
        return move(action, {
          call,
          state: 'escalated',
          outcome: 'unverifiable',
          decision: 'ask a person',
          reason: `could not be read back within ${Math.round(policy.withinMs / 1000)} s, in ${action.unread + 1} tries: ${reading.reason}`,
        });
      }
      return { ...again('failed', reading.reason, failurePauseMs(action.unread)), unread: action.unread + 1 };
    case 'throttled':
      return again('throttled', reading.reason, reading.retryAfterMs ?? 1_000);
    case 'unavailable':
      return again('unavailable', `${reading.code}: ${reading.reason}`, 1_000);
  }
}

/**
 * What becomes of an action whose destination can never be asked. Its yes is all there is to know; without one, only a
 * key or an upsert makes a second write harmless.
 *
 * @param why the connector's own words
 */
export function decideUnverifiable(action: Action, why: string, policy: VerifyPolicy): Move {
  if (action.state === 'accepted') {
    return move(action, {
      state: 'unverifiable',
      outcome: 'unverifiable',
      decision: 'done, not verified',
      reason: why,
    });
  }
  const harmless = policy.idempotency === 'keyed' || policy.idempotency === 'upsert';
  if (!harmless || action.attempts >= policy.maxAttempts) {
    return move(action, {
      state: 'escalated',
      outcome: 'unverifiable',
      decision: 'ask a person',
      reason: `no answer, and ${why}`,
    });
  }
  return move(action, {
    state: 'ready',
    outcome: 'unverifiable',
    decision: 'send again',
    reason: 'no answer; sent again under the same key',
    due_in_ms: failurePauseMs(action.attempts),
  });
}

function decideDifference(
  action: Action,
  id: string,
  differing: readonly string[],
  policy: VerifyPolicy,
  call: Call,
): Move {
  const reason = differs(differing);
  const found = { call, outcome: 'differs', external_id: id };
  // Only an upsert can be corrected by writing the same action again; any other class would act twice.
  const correctable =
    policy.idempotency === 'upsert' &&
    action.corrections < maxCorrections &&
    action.attempts < policy.maxAttempts;
  if (!correctable) return move(action, { ...found, state: 'differs', decision: 'ask a person', reason });
  return move(action, {
    ...found,
    state: 'ready',
    decision: 'correct it',
    reason: `${reason}; written again`,
    due_in_ms: 0,
    // A rewrite that was never answered says nothing about whether the vendor would keep the value.
    corrections: action.corrections + (action.state === 'accepted' ? 1 : 0),
  });
}

/**
 * Absence is proven: the lag has passed and two reads found nothing. A destination that had answered under this key
 * would replay that answer, so the next write uses a new one; one that never answered may still apply the first
 * write late, and the old key protects from that.
 */
function decideAbsence(action: Action, policy: VerifyPolicy, call: Call): Move {
  const answered = action.state === 'accepted';
  const reason = answered ? 'accepted by the destination, but not there' : 'no clear answer, and not there';
  const found = { call, outcome: 'missing', generation: action.generation + (answered ? 1 : 0) };
  if (policy.idempotency === 'none' && !answered) {
    // Nothing protects from a late first write: a person decides.
    return move(action, { ...found, state: 'escalated', decision: 'ask a person', reason });
  }
  if (action.attempts >= policy.maxAttempts) {
    return move(action, {
      ...found,
      state: 'dead',
      decision: 'give up',
      reason: `${action.attempts} attempts; last: ${reason}`,
    });
  }
  return move(action, {
    ...found,
    state: 'ready',
    decision: 'send again',
    reason: `${reason}; sent again`,
    due_in_ms: 0,
    absences: 0,
  });
}

function differs(fields: readonly string[]): string {
  return `differs: ${fields.join(', ')}`;
}

/** Doubling from a second to ten: a destination that is only busy gets the time it needs, one that is down has a breaker. */
function failurePauseMs(failures: number): number {
  return Math.min(10_000, 1_000 * 2 ** failures);
}

/** Reads follow quickly at first and then slow down, but never past the moment that decides. */
function patience(waitedMs: number, deadlineMs: number): number {
  return Math.max(200, Math.min(30_000, Math.max(250, waitedMs / 2), deadlineMs - waitedMs + 50));
}
