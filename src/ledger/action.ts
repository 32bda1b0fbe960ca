import type { Transition } from '../config/model.ts';
import type { ActionState } from './state.ts';

/** An action that is due, as a lane worker sees it. Times are the database's. */
export interface Action {
  key: string;
  message: string;
  poll: string;
  signal: string;
  entity: string;
  sequence: number;
  transition: Transition;
  state: ActionState;
  attempts: number;
  corrections: number;
  absences: number;
  /** Reads in a row that failed. */
  unread: number;
  generation: number;
  external_id: string | null;
  locator: Record<string, string> | null;
  /** Digest of each field's canonical value as last sent. */
  sent: Record<string, string> | null;
  observed_at: Date | null;
  detected_at: Date;
  /** Its ttl is over: if it was not sent yet, it must not be any more. */
  expired: boolean;
  /** Why it is where it is. */
  reason: string | null;
  /** Milliseconds since the destination accepted the last send, or since that send when it was never answered. */
  waited_ms: number | null;
  /** Ties every log line of a poll's actions together. */
  correlation: string;
}

/** A call as all actions of its batch share it. */
export interface Call {
  kind: 'write' | 'read';
  /** When it ended, on the monotonic clock. */
  at: number;
  duration_ms: number;
}

/** One step of an action through the state machine, recorded in one statement with its attempt. */
export interface Move {
  key: string;
  signal: string;
  entity: string;
  sequence: number;
  source: ActionState;
  state: ActionState;
  /** When to look again, from now; null when settled. */
  due_in_ms: number | null;
  settled: boolean;
  reason: string | null;
  /** The step of its play that stopped it. */
  stopped_by: string | null;
  /** What led here; null when no call was made. */
  call: Call | null;
  outcome: string;
  decision: string;
  external_id: string | null;
  /** The destination answered that it took it. */
  accepted: boolean;
  attempts: number;
  corrections: number;
  absences: number;
  unread: number;
  generation: number;
}

/** The call that began at this moment of the monotonic clock and has just ended. */
export function endedCall(kind: Call['kind'], started: number): Call {
  const at = performance.now();
  return { kind, at, duration_ms: Math.round(at - started) };
}

/** A move that changes nothing but what `change` says. */
export function move(
  action: Action,
  change: Partial<Omit<Move, 'settled'>> & Pick<Move, 'state' | 'outcome' | 'decision'>,
): Move {
  // Named one by one: to spread the change over defaults takes ten times as long.
  return {
    key: action.key,
    signal: action.signal,
    entity: action.entity,
    sequence: action.sequence,
    source: change.source ?? action.state,
    state: change.state,
    due_in_ms: change.due_in_ms ?? null,
    settled: (change.due_in_ms ?? null) === null,
    reason: change.reason ?? null,
    stopped_by: change.stopped_by ?? null,
    call: change.call ?? null,
    outcome: change.outcome,
    decision: change.decision,
    external_id: change.external_id ?? null,
    accepted: change.accepted ?? false,
    attempts: change.attempts ?? action.attempts,
    corrections: change.corrections ?? action.corrections,
    absences: change.absences ?? action.absences,
    unread: change.unread ?? 0,
    generation: change.generation ?? action.generation,
  };
}
