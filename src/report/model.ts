import type { ActionState, reportColumns } from '../ledger/state.ts';

/** Everything the report says, before it is put into words. Times are milliseconds, shares are 0–1. */
export interface Report {
  generatedAt: Date;
  /** Whole polls that began at or after this; null: since the beginning. */
  since: Date | null;
  /** All pairs together. */
  totals: Activation;
  /** One for each signal and destination that have met. */
  pairs: Pair[];
  /** Why what is not verified is not, most frequent first within a pair and kind. The counts add up to the totals. */
  reasons: ReasonGroup[];
  deadLetters: { total: number; shown: DeadLetter[] };
  polls: PollGroup[];
  /** Connections that may not be called now. */
  stopped: StoppedConnection[];
  /** Signals and destinations that a person has paused. */
  paused: Paused[];
}

/** The terms of rule 9, named as the ledger does: their sum is `detected`, unless something was lost. */
export type Counts = Record<keyof typeof reportColumns, number>;

export interface Activation extends Counts {
  /** Counted by the polls, apart from the actions. */
  detected: number;
  /**
   * `detected` less all the other counts: above 0 when actions were lost, below when there are too many. In the totals
   * both add up, so that they cannot cancel each other.
   */
  unaccounted: number;
  /** Of those in flight: longer than the signal's SLA, or than the report's limit when it has none. */
  delayed: number;
  /** Of verified actions only; null where there is nothing to measure. */
  time: Record<Stage, Percentiles | null>;
  sla: Sla;
  attempts: Attempts;
}

export interface Pair extends Activation {
  signal: string;
  destination: string;
  owner: string | null;
  /** The oldest action that is in flight or held. */
  oldestOpen: OldestOpen | null;
}

/**
 * The stages of the time to action. `total` begins at the row's own `observed_at`, or at its detection when it has none
 * or its clock is ahead; it ends with the read-back that found it. Waiting and retries before the last write count as
 * `detectedToSent`. An effect that was found without an answer to its write has no `sentToAccepted`.
 */
export const stages = [
  'total',
  'insightToDetected',
  'detectedToSent',
  'sentToAccepted',
  'acceptedToVerified',
] as const;
export type Stage = (typeof stages)[number];

export interface Percentiles {
  p50: number;
  p95: number;
  p99: number;
}

export interface Sla {
  /** The signal's SLA; null for totals and for signals without one. */
  limitMs: number | null;
  /** Verified, within the SLA. */
  inTime: number;
  /** Verified, differs, failed, escalated and expired, and those in flight for longer than the SLA. */
  judged: number;
  /** `inTime / judged`; null when nothing is due for judgement. */
  attainment: number | null;
}

/** Calls made for actions. Batched actions share a call; it counts once for each of them. */
export interface Attempts {
  writes: number;
  reads: number;
  /** By actions that were sent at least once. */
  writesPerAction: number | null;
  readsPerAction: number | null;
  /** Most writes since the last `retry` of any single action. */
  mostWrites: number;
  /** Calls put off by a rate limit or an open breaker; they are not attempts. */
  putOff: number;
}

export interface OldestOpen {
  key: string;
  entity: string;
  state: ActionState;
  reason: string | null;
  ageMs: number;
}

/** What became of actions that are not verified. `delayed` and `in_flight` part those in flight. */
export const reasonKinds = [
  'failed',
  'differs',
  'escalated',
  'expired',
  'unverifiable',
  'delayed',
  'in_flight',
  'suppressed',
  'held',
  'superseded',
] as const;
export type ReasonKind = (typeof reasonKinds)[number];

export interface ReasonGroup {
  signal: string;
  destination: string;
  kind: ReasonKind;
  /** Ids, times and addresses are replaced by `…`. */
  reason: string;
  count: number;
  /** The first and last entity by name. */
  examples: string[];
}

export interface DeadLetter {
  key: string;
  signal: string;
  destination: string;
  entity: string;
  state: ActionState;
  reason: string | null;
  attempts: number;
  externalId: string | null;
  detectedAt: Date;
  settledAt: Date;
}

export interface PollGroup {
  signal: string;
  state: string;
  /** Only for polls that did not look: held, failed, skipped. */
  reason: string | null;
  count: number;
  latestAt: Date;
}

export interface StoppedConnection {
  connection: string;
  destinations: string[];
  pausedUntil: Date | null;
  pausedReason: string | null;
  breaker: 'closed' | 'open' | 'half_open';
  retryAt: Date | null;
  lastError: string | null;
  failures: number;
}

export interface Paused {
  kind: 'signal' | 'destination';
  name: string;
  pausedAt: Date;
  reason: string | null;
}
