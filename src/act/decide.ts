import type { Outcome } from '../connectors/connector.ts';
import { type Action, type Call, type Move, move } from '../ledger/action.ts';
import { backoffMs } from './backoff.ts';

/**
 * What to do after a write answered. Nothing here says `verified`: only a read-back does (rule 2). A 429 and a dead
 * connection are not attempts (rule 6); an ambiguous outcome is resolved by reading, never by sending again (rule 3).
 */
export function decideOutcome(action: Action, outcome: Outcome, maxAttempts: number, call: Call): Move {
  const attempts = action.attempts + 1;
  switch (outcome.kind) {
    case 'applied':
    case 'already':
      return move(action, {
        call,
        outcome: outcome.kind,
        state: 'accepted',
        decision: 'read it back',
        due_in_ms: 0,
        accepted: true,
        attempts,
        external_id: outcome.id,
      });
    case 'ambiguous':
      return move(action, {
        call,
        outcome: outcome.kind,
        state: 'unknown',
        decision: 'read back before anything else',
        reason: outcome.reason,
        due_in_ms: ambiguousPauseMs,
        attempts,
      });
    case 'throttled':
      return move(action, {
        call,
        outcome: outcome.kind,
        state: 'ready',
        decision: 'wait, then send; not an attempt',
        reason: outcome.reason,
        due_in_ms: outcome.retryAfterMs ?? 1_000,
      });
    case 'unavailable':
      return move(action, {
        call,
        outcome: outcome.kind,
        state: 'ready',
        decision: 'wait for the connection; not an attempt',
        reason: `${outcome.code}: ${outcome.reason}`,
        due_in_ms: 1_000,
      });
    case 'rejected': {
      const reason = `${outcome.code}: ${outcome.reason}`;
      if (outcome.permanent)
        return move(action, {
          call,
          outcome: outcome.kind,
          state: 'rejected',
          decision: 'give up',
          reason,
          attempts,
        });
      if (attempts >= maxAttempts) {
        return move(action, {
          call,
          outcome: outcome.kind,
          state: 'dead',
          decision: 'give up',
          reason: `${attempts} attempts; last: ${reason}`,
          attempts,
        });
      }
      return move(action, {
        call,
        outcome: outcome.kind,
        state: 'ready',
        decision: 'send again later',
        reason,
        due_in_ms: backoffMs(attempts),
        attempts,
      });
    }
  }
}

/** A write that was cut off may still be running at the destination; a moment's patience saves a pointless read. */
const ambiguousPauseMs = 500;
