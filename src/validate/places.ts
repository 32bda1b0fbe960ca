import type { Signal } from '../config/model.ts';
import { type DbtSql, writtenPosition } from '../dbt/sql.ts';
import { type Place, ReadbackError } from '../errors.ts';

/** A statement that a user wrote: its file, its first line there, and itself, padded so that its columns are the file's. */
export interface Statement {
  file: string;
  sqlLine: number;
  sql: string;
  dbt?: DbtSql | undefined;
}

/** A warehouse's complaint about a whole statement, with its position moved into the user's file; without one, its beginning. */
export function inStatement(error: unknown, statement: Statement): ReadbackError {
  const failure = asReadbackError(error);
  if (failure.code !== 'SIGNAL_SQL') return failure;
  const { line, column = 1 } = failure.place ?? {};
  if (line === undefined) return moved(failure, statementPlace(statement), failure.message);
  const ran = { line, column };
  const { dbt, file, sqlLine } = statement;
  const written = dbt ? writtenPosition(dbt, ran) : ran;
  const place: Place = { file, line: sqlLine + written.line - 1, column: written.column };
  return moved(failure, place, failure.message);
}

/** Where a statement begins. */
export function statementPlace({ file, sqlLine, sql }: Statement): Place {
  return { file, line: sqlLine, column: sql.search(/\S/) + 1 };
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
