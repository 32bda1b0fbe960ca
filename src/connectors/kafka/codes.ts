import type { Throttled } from '../connector.ts';
import { rejected } from '../outcomes.ts';
import type { Problem } from '../rest.ts';

/** Of some 130 (https://kafka.apache.org/protocol#protocol_error_codes) those that our requests can meet. */
const names: Readonly<Record<number, string>> = {
  [-1]: 'UNKNOWN_SERVER_ERROR',
  1: 'OFFSET_OUT_OF_RANGE',
  2: 'CORRUPT_MESSAGE',
  3: 'UNKNOWN_TOPIC_OR_PARTITION',
  5: 'LEADER_NOT_AVAILABLE',
  6: 'NOT_LEADER_OR_FOLLOWER',
  7: 'REQUEST_TIMED_OUT',
  9: 'REPLICA_NOT_AVAILABLE',
  10: 'MESSAGE_TOO_LARGE',
  17: 'INVALID_TOPIC_EXCEPTION',
  18: 'RECORD_LIST_TOO_LARGE',
  19: 'NOT_ENOUGH_REPLICAS',
  20: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  29: 'TOPIC_AUTHORIZATION_FAILED',
  31: 'CLUSTER_AUTHORIZATION_FAILED',
  32: 'INVALID_TIMESTAMP',
  42: 'INVALID_REQUEST',
  44: 'POLICY_VIOLATION',
  56: 'KAFKA_STORAGE_ERROR',
  74: 'FENCED_LEADER_EPOCH',
  75: 'UNKNOWN_LEADER_EPOCH',
  87: 'INVALID_RECORD',
  89: 'THROTTLING_QUOTA_EXCEEDED',
};

export const outOfRange = 1;
/** Also what a partition without a leader is told as in metadata. */
export const leaderless = 5;
const quotaExceeded = 89;
const unknownTopic = 3;

/** A definite no that another time may be a yes: nothing was appended. */
const temporary = new Set([3, 5, 6, 9, 19, 74, 75]);
/** A definite no. */
const permanent = new Set([10, 17, 18, 29, 31, 32, 42, 44, 87]);
/** A no about one record that its whole batch gets. */
const ofOneRecord = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
]);
/** What is known of the topic no longer holds. */
const movedOn = new Set([3, 5, 6, 9, 56, 74, 75]);

const advice: Readonly<Record<number, (topic: string) => string>> = {
  3: (topic) => `there is no topic ${topic}: make it, as publishing does not, or correct \`topic\``,
  6: () => 'another broker leads the partition now',
  10: () => 'larger than the topic takes (`max.message.bytes`)',
  29: (topic) => `not permitted: the user needs Describe, Write and Read on topic ${topic}`,
  87: () => 'the topic takes no such record',
};

/**
 * What an error means for what was asked.
 *
 * @param wasAppended the broker told an offset beside the error, so that it came up after the leader had stored the
 *   records: another leader may have them, too, or not
 */
export function problemOf(code: number, topic: string, throttleMs: number, wasAppended = false): Problem {
  const name = names[code] ?? `error ${code}`;
  const why = advice[code]?.(topic);
  const reason = why === undefined ? name : `${name}: ${why}`;
  if (wasAppended) return { kind: 'ambiguous', reason: `${name}, after it was stored by the leader` };
  if (code === quotaExceeded) return throttled(throttleMs);
  if (temporary.has(code)) return { kind: 'rejected', code: name, reason, permanent: false };
  if (permanent.has(code)) return rejected(name, reason);
  return { kind: 'ambiguous', reason };
}

export function throttled(ms: number): Throttled {
  return { kind: 'throttled', retryAfterMs: ms > 0 ? ms : null, reason: 'the brokers asked for a pause' };
}

/** Whether an answer asks to wait: beside what was asked for, or in its place. */
export function asksToWait(throttleMs: number, codes: readonly number[]): boolean {
  return throttleMs > 0 || codes.includes(quotaExceeded);
}

/** Whether the broker that leads a partition must be asked for again. */
export function hasMoved(code: number): boolean {
  return movedOn.has(code);
}

/** Whether there is no such topic. */
export function isUnknownTopic(code: number): boolean {
  return code === unknownTopic;
}

/** A refusal of a whole batch that most of it may not deserve. */
export function isOfOneRecord(problem: Problem): boolean {
  return problem.kind === 'rejected' && ofOneRecord.has(problem.code);
}
