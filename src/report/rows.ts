import type { ActionState } from '../ledger/state.ts';
import type { Activation, DeadLetter, Percentiles, ReasonKind } from './model.ts';

type Three = [number | null, number | null, number | null] | null;

/** A row of the query `activation`: a pair, or all of them when the names are empty. */
export interface ActivationRow {
  signal: string;
  destination: string;
  detected: number | null;
  verified: number | null;
  unverifiable: number | null;
  differs: number | null;
  suppressed: number | null;
  held: number | null;
  escalated: number | null;
  failed: number | null;
  expired: number | null;
  superseded: number | null;
  in_flight: number | null;
  delayed: number | null;
  in_time: number | null;
  judged: number | null;
  sent: number | null;
  most_writes: number | null;
  writes: number | null;
  reads: number | null;
  put_off: number | null;
  total: Three;
  insight_to_detected: Three;
  detected_to_sent: Three;
  sent_to_accepted: Three;
  accepted_to_verified: Three;
  oldest: { key: string; entity: string; state: ActionState; reason: string | null; age_ms: number } | null;
}

export interface ReasonRow {
  signal: string;
  destination: string;
  kind: ReasonKind;
  reason: string;
  count: number;
  first: string;
  last: string;
}

export interface LetterRow {
  key: string;
  signal: string;
  destination: string;
  entity: string;
  state: ActionState;
  reason: string | null;
  attempts: number;
  external_id: string | null;
  detected_at: string;
  settled_at: string;
}

/** The numbers of a row. A pair that only one side knows of has nothing on the other. */
export function activation(row: ActivationRow | undefined, limitMs: number | null): Activation {
  const counts = {
    verified: row?.verified ?? 0,
    unverifiable: row?.unverifiable ?? 0,
    differs: row?.differs ?? 0,
    failed: row?.failed ?? 0,
    escalated: row?.escalated ?? 0,
    expired: row?.expired ?? 0,
    suppressed: row?.suppressed ?? 0,
    held: row?.held ?? 0,
    superseded: row?.superseded ?? 0,
    in_flight: row?.in_flight ?? 0,
  };
  const detected = row?.detected ?? 0;
  const judged = row?.judged ?? 0;
  const inTime = row?.in_time ?? 0;
  return {
    detected,
    ...counts,
    unaccounted: detected - Object.values(counts).reduce((sum, count) => sum + count, 0),
    delayed: row?.delayed ?? 0,
    time: {
      total: percentiles(row?.total),
      insightToDetected: percentiles(row?.insight_to_detected),
      detectedToSent: percentiles(row?.detected_to_sent),
      sentToAccepted: percentiles(row?.sent_to_accepted),
      acceptedToVerified: percentiles(row?.accepted_to_verified),
    },
    sla: { limitMs, inTime, judged, attainment: judged === 0 ? null : inTime / judged },
    attempts: {
      writes: row?.writes ?? 0,
      reads: row?.reads ?? 0,
      writesPerAction: row?.sent ? (row.writes ?? 0) / row.sent : null,
      readsPerAction: row?.sent ? (row.reads ?? 0) / row.sent : null,
      mostWrites: row?.most_writes ?? 0,
      putOff: row?.put_off ?? 0,
    },
  };
}

export function deadLetter(row: LetterRow): DeadLetter {
  return {
    key: row.key,
    signal: row.signal,
    destination: row.destination,
    entity: row.entity,
    state: row.state,
    reason: row.reason,
    attempts: row.attempts,
    externalId: row.external_id,
    detectedAt: new Date(row.detected_at),
    settledAt: new Date(row.settled_at),
  };
}

function percentiles(three: Three | undefined): Percentiles | null {
  const [p50, p95, p99] = three ?? [];
  if (p50 == null || p95 == null || p99 == null) return null;
  return { p50, p95, p99 };
}
