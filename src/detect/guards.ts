import type { Signal } from '../config/model.ts';

export interface Counts {
  entered: number;
  changed: number;
  departed: number;
}

export interface IncomingFaults {
  null_keys: number;
  duplicate_key: string | null;
}

/** Thrown by a poll that is held; its transaction is rolled back. */
export class Held extends Error {}

/** A poll whose result cannot be trusted is held: nothing is sent and nothing is forgotten. */
export function guardRows(signal: Signal, faults: IncomingFaults): string | undefined {
  const key = signal.key.join(', ');
  if (faults.null_keys > 0) {
    return `${faults.null_keys} rows have no ${key}; every row needs its key`;
  }
  if (faults.duplicate_key !== null) {
    return `${key} ${faults.duplicate_key} is returned more than once; the key must be unique`;
  }
  return undefined;
}

/** The column by which the source's age is judged. */
export function ageColumn({ guard, observedAt }: Signal): string | undefined {
  return guard.loadedAt ?? observedAt;
}

/** @param ageMs age of the newest value of `ageColumn`; undefined when there is none to judge */
export function guardAge(signal: Signal, ageMs: number | undefined): string | undefined {
  const limit = signal.guard.maxAgeMs;
  if (limit === undefined) return undefined;
  const column = ageColumn(signal) ?? 'observed_at';
  if (ageMs === undefined) return `no row has a ${column}, so max_age cannot be judged`;
  return ageMs > limit
    ? `the newest ${column} is ${minutes(ageMs)} old, older than max_age ${minutes(limit)}`
    : undefined;
}

/** @param present entities in the set, now that the signal's SQL returns no row at all */
export function guardEmpty(signal: Signal, present: number): string | undefined {
  return signal.guard.allowEmpty
    ? undefined
    : `no rows returned although ${present} are in the set; set guard.allow_empty if that can be right`;
}

/** @param present entities in the set before the poll */
export function guardMoves(signal: Signal, counts: Counts, present: number): string | undefined {
  const { maxNew, maxNewRatio } = signal.guard;
  if (maxNew !== undefined && counts.entered > maxNew) {
    return `${counts.entered} entities would enter at once, more than max_new ${maxNew}`;
  }
  if (maxNewRatio !== undefined && present > 0 && counts.entered > maxNewRatio * present) {
    return `${counts.entered} entities would enter a set of ${present}, more than max_new_ratio ${maxNewRatio}`;
  }
  return undefined;
}

function minutes(ms: number): string {
  return ms < 60_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
}
