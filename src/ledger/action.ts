import type { Transition } from '../config/model.ts';
import type { ActionState } from './state.ts';

/** An action that is due, as a lane worker sees it. Times are the database's. */
export interface Action {
  key: string;
  message: string;
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
  sent_at: Date | null;
  /** Why it is where it is. */
  reason: string | null;
  /** Milliseconds since the destination accepted the last send, or since that send when it was never answered. */
  waited_ms: number | null;
  /** Ties every log line of a poll's actions together. */
  correlation: string;
}

/** One step of an action through the state machine, recorded in one statement with its attempt. */
export interface Move {
  key: string;
  /** When it was decided, on the monotonic clock. */
  at: number;
  source: ActionState;
  state: ActionState;
  /** When to look again, from now; null when settled. */
  due_in_ms: number | null;
  settled: boolean;
  reason: string | null;
  /** What kind of call led here; null when none was made. */
  kind: 'write' | 'read' | null;
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
  duration_ms: number | null;
}

/** A move that changes nothing but what `change` says. */
export function move(
  action: Action,
  change: Partial<Move> & Pick<Move, 'state' | 'outcome' | 'decision'>,
): Move {
  return {
    key: action.key,
    at: performance.now(),
    source: action.state,
    due_in_ms: null,
    settled: change.due_in_ms === undefined || change.due_in_ms === null,
    reason: null,
    kind: null,
    external_id: null,
    accepted: false,
    attempts: action.attempts,
    corrections: action.corrections,
    absences: action.absences,
    unread: 0,
    generation: action.generation,
    duration_ms: null,
    ...change,
  };
}
