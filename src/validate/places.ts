import type { Signal } from '../config/model.ts';
import { type Place, ReadbackError } from '../errors.ts';

/** The file and first line of a statement that a user wrote. */
export interface Statement {
  file: string;
  sqlLine: number;
}

/** A warehouse's complaint about a whole statement, with its position moved into the user's file. */
export function inStatement(error: unknown, { file, sqlLine }: Statement): ReadbackError {
  const failure = asReadbackError(error);
  if (failure.code !== 'SIGNAL_SQL') return failure;
  const { line, column } = failure.place ?? {};
  const place: Place = { file, line: line === undefined ? sqlLine : sqlLine + line - 1, column };
  return moved(failure, place, failure.message);
}

/** A warehouse's complaint about `when` or `rearm`: its position lies in SQL of ours, so the key's own place is told. */
export function inHeader(error: unknown, signal: Signal, key: 'when' | 'rearm'): ReadbackError {
  const failure = asReadbackError(error);
  if (failure.code !== 'SIGNAL_SQL') return failure;
  return moved(failure, headerPlace(signal, key), `\`${key}\`: ${failure.message}`, signal[key]);
}

/** Where a header key is written. */
export function headerPlace(signal: Signal, key: string): Place {
  return { file: signal.file, ...signal.places.get(key) };
}

function moved(failure: ReadbackError, place: Place, message: string, value = failure.value): ReadbackError {
  return new ReadbackError(failure.code, message, { place, value, hint: failure.hint, cause: failure });
}

function asReadbackError(error: unknown): ReadbackError {
  if (error instanceof ReadbackError) return error;
  throw error;
}
