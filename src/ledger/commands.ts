import type { Transition } from '../config/model.ts';
import { type Queryable, queries } from '../store/queries.ts';
import type { ActionState } from './state.ts';

const sql = queries('commands');

/** An action that ended without its effect. */
export interface DeadLetter {
  key: string;
  signal: string;
  destination: string;
  entity: string;
  sequence: number;
  transition: Transition;
  state: ActionState;
  reason: string | null;
  attempts: number;
  detected_at: Date;
  settled_at: Date;
  /** A newer transition of the entity went to the same destination: this one is not sent again. */
  overtaken: boolean;
}

export interface LetterFilter {
  states: readonly ActionState[];
  signals: readonly string[];
  destinations: readonly string[];
  /** Entities; empty: all. */
  only: readonly string[];
}

export function findDeadLetters(ledger: Queryable, filter: LetterFilter): Promise<DeadLetter[]> {
  return sql.run<DeadLetter>(ledger, 'dead_letters', { ...filter });
}

/**
 * Makes dead letters due again with fresh attempts and a fresh ttl.
 *
 * @param ttls milliseconds by destination; a letter of any other destination stays as it is
 * @returns how many were brought back; fewer than asked when some were retried meanwhile
 */
export async function retryDeadLetters(
  ledger: Queryable,
  letters: readonly DeadLetter[],
  ttls: ReadonlyMap<string, number>,
): Promise<number> {
  const seconds = [...ttls].map(([destination, ttlMs]) => ({ destination, seconds: ttlMs / 1000 }));
  const chosen = letters.filter((letter) => !letter.overtaken);
  const row = await sql.one<{ retried: number }>(ledger, 'retry', {
    ttls: JSON.stringify(seconds),
    signals: chosen.map((letter) => letter.signal),
    entities: chosen.map((letter) => letter.entity),
    destinations: chosen.map((letter) => letter.destination),
    sequences: chosen.map((letter) => letter.sequence),
  });
  return row?.retried ?? 0;
}

/** A signal or destination as pause and resume name it. */
export interface Pausable {
  kind: 'signal' | 'destination';
  name: string;
}

/** Everything of either kind that the ledger has seen. */
export function knownNames(
  ledger: Queryable,
): Promise<(Pausable & { paused: boolean; paused_reason: string | null })[]> {
  return sql.run(ledger, 'known_names');
}

/**
 * Stops a signal's polls or a destination's sends, and holds what has not been sent. Call it in a transaction.
 *
 * @param connection of a destination, which the ledger may not have seen yet
 */
export async function pause(
  ledger: Queryable,
  { kind, name }: Pausable,
  reason: string,
  connection: string,
): Promise<{ held: number }> {
  if (kind === 'signal') await sql.run(ledger, 'pause_signal', { name, reason });
  else await sql.run(ledger, 'pause_destination', { name, reason, connection });
  const row = await sql.one<{ held: number }>(ledger, 'hold', { kind, name, reason });
  return { held: row?.held ?? 0 };
}

/** Ends a pause; what it held becomes due, but for what another pause still holds. Call it in a transaction. */
export async function resume(
  ledger: Queryable,
  { kind, name }: Pausable,
): Promise<{ wasPaused: boolean; released: number; held: number }> {
  const ended = await sql.run(ledger, kind === 'signal' ? 'resume_signal' : 'resume_destination', { name });
  const row = await sql.one<{ released: number; held: number }>(ledger, 'release', { kind, name });
  return { wasPaused: ended.length > 0, released: row?.released ?? 0, held: row?.held ?? 0 };
}

/** Open actions of one destination. */
export interface OpenWork {
  destination: string;
  open: number;
  /** When the next is due, from now. */
  next_in_ms: number;
  /** How long the connection may not be called. */
  rests_ms: number;
  /** It rests after failures, not because it was called too often. */
  unreachable: boolean;
  rest_reason: string | null;
}

/** What of these signals is still under way. */
export function openWork(ledger: Queryable, signals: readonly string[]): Promise<OpenWork[]> {
  return sql.run<OpenWork>(ledger, 'open_work', { signals });
}

export interface OutcomeCount {
  signal: string;
  destination: string;
  state: ActionState;
  actions: number;
}

/** Where the actions stand that a run detected, brought to an end, or left open. */
export function runOutcomes(
  ledger: Queryable,
  signals: readonly string[],
  since: Date,
): Promise<OutcomeCount[]> {
  return sql.run<OutcomeCount>(ledger, 'run_outcomes', { signals, since });
}

export interface Failure {
  signal: string;
  destination: string;
  entity: string;
  state: ActionState;
  reason: string | null;
}

/** The newest of a run's actions that ended badly. */
export function runFailures(
  ledger: Queryable,
  signals: readonly string[],
  since: Date,
  limit: number,
): Promise<Failure[]> {
  return sql.run<Failure>(ledger, 'run_failures', { signals, since, limit });
}

/** The database's clock (rule 5). */
export async function databaseNow(ledger: Queryable): Promise<Date> {
  const row = await sql.one<{ at: Date }>(ledger, 'now');
  return row?.at ?? new Date();
}
