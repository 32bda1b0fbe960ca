/** The states of an action, in the order of its life. The database type `action_state` lists the same. */
export const actionStates = [
  'planned',
  'held',
  'suppressed',
  'ready',
  'sending',
  'accepted',
  'unknown',
  'verified',
  'unverifiable',
  'differs',
  'rejected',
  'escalated',
  'expired',
  'superseded',
  'dead',
] as const;
export type ActionState = (typeof actionStates)[number];

/**
 * Every move an action may make, and nothing else. `src/README.md` draws this graph; a test holds the two together.
 * `held` is entered and left by pause and resume; `retry` moves a dead letter back to `ready`, and the steps of its play that
 * it had stopped back to `planned`.
 */
export const moves: Readonly<Record<ActionState, readonly ActionState[]>> = {
  planned: ['held', 'suppressed', 'sending', 'rejected', 'expired', 'superseded'],
  held: ['planned', 'ready', 'suppressed', 'superseded'],
  suppressed: ['planned'],
  ready: ['held', 'suppressed', 'sending', 'rejected', 'expired', 'superseded'],
  sending: ['accepted', 'unknown', 'ready', 'rejected', 'dead'],
  accepted: ['verified', 'unverifiable', 'differs', 'ready', 'escalated', 'dead'],
  unknown: ['verified', 'differs', 'ready', 'escalated', 'dead'],
  verified: [],
  unverifiable: [],
  differs: ['ready'],
  rejected: ['ready'],
  escalated: ['ready'],
  expired: ['ready'],
  superseded: [],
  dead: ['ready'],
};

/** A worker still has something to do with these; exactly they have a due time. */
export const inFlightStates = [
  'planned',
  'ready',
  'sending',
  'accepted',
  'unknown',
] as const satisfies ActionState[];

/** Ended as wanted: a later step of a play may begin. */
export const doneStates = ['verified', 'unverifiable'] as const satisfies ActionState[];

/** Ended, and surely without the effect: what a step that compensates undoes the earlier ones for. */
export const effectlessStates = [
  'rejected',
  'dead',
  'expired',
  'superseded',
] as const satisfies ActionState[];

/** What `readback retry` may bring back: ended without the effect, by a fault rather than by a rule. */
export const deadLetterStates = [
  'differs',
  'rejected',
  'escalated',
  'expired',
  'dead',
] as const satisfies ActionState[];

/** The columns of the report: rule 9 says that they add up to what was detected. */
export const reportColumns = {
  verified: ['verified'],
  unverifiable: ['unverifiable'],
  differs: ['differs'],
  suppressed: ['suppressed'],
  held: ['held'],
  escalated: ['escalated'],
  failed: ['rejected', 'dead'],
  expired: ['expired'],
  superseded: ['superseded'],
  in_flight: inFlightStates,
} as const satisfies Record<string, readonly ActionState[]>;
