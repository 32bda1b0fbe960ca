import { ReadbackError } from '../../errors.ts';
import { placeIn } from '../statement.ts';

/** What DuckDB says with `errors_as_json`. Texts throughout, also the number. */
interface Report {
  exception_type?: string;
  exception_message?: string;
  /** Bytes of UTF-8 before the fault. */
  position?: string;
}

/** The SQL itself is at fault, not the data or the moment. */
const sqlFaults = new Set([
  'Parser',
  'Syntax',
  'Binder',
  'Catalog',
  'Permission',
  'Not implemented',
  'Parameter Not Resolved',
]);

function reportOf(error: unknown): Report {
  const text = error instanceof Error ? error.message : String(error);
  try {
    return JSON.parse(text.slice(text.indexOf('{'))) as Report;
  } catch {
    return { exception_message: text };
  }
}

/** DuckDB's message, without its JSON. */
export function messageOf(error: unknown): string {
  return reportOf(error).exception_message ?? String(error);
}

/**
 * @param sql the statement as its author wrote it
 * @param prefix what was put before it; places are given without
 */
export function failureOf(error: unknown, sql: string, prefix = ''): ReadbackError {
  if (error instanceof ReadbackError) return error;
  const report = reportOf(error);
  const type = report.exception_type ?? '';
  const offset =
    report.position === undefined ? Number.NaN : Number(report.position) - Buffer.byteLength(prefix);
  const inside = offset >= 0 && offset <= Buffer.byteLength(sql);
  const message = report.exception_message ?? String(error);
  return new ReadbackError(sqlFaults.has(type) ? 'SIGNAL_SQL' : 'WAREHOUSE_QUERY', message, {
    place: inside ? placeIn(sql, offset, 'bytes') : undefined,
    hint: hintFor(type, message),
    cause: error,
  });
}

function hintFor(type: string, message: string): string | undefined {
  if (type === 'Permission') {
    return 'set `external_access: true` on the warehouse to let its SQL read other files and addresses';
  }
  if (type === 'Out of Memory' || /out of memory/i.test(message))
    return 'raise `memory_limit` of the warehouse';
  return undefined;
}
