import { type Action, type Move, move } from '../ledger/action.ts';

/** Another action comes first: looked at again in a second. */
export function waitFor(action: Action, other: string): Move {
  return move(action, {
    state: action.state,
    outcome: 'waiting',
    decision: `wait for ${other}`,
    reason: `waiting for ${other}`,
    due_in_ms: 1_000,
  });
}

/** A rule says no. */
export function suppress(action: Action, reason: string, stoppedBy?: string): Move {
  const said = { outcome: 'suppressed', decision: 'no', reason, stopped_by: stoppedBy ?? null };
  return move(action, { state: 'suppressed', ...said });
}

/** Definitely not sent and not sendable as things are: a dead letter, to be retried once its cause is mended. */
export function refuse(action: Action, reason: string): Move {
  return move(action, { state: 'rejected', outcome: 'refused', decision: 'give up', reason });
}

/** Too late to be sent. What it was waiting for stays readable in the reason. */
export function expire(action: Action): Move {
  const reason = ['not sent within its ttl', action.reason].filter(Boolean).join('; last: ');
  return move(action, { state: 'expired', outcome: 'expired', decision: 'give up', reason });
}
