import type { DatabaseError } from 'pg';
import { ReadbackError } from '../../errors.ts';
import { pastDeadline } from '../deadline.ts';
import { placeIn } from '../statement.ts';

/** A connection that cannot be made, or was lost. */
export function unreachable(error: unknown, shown: string): ReadbackError {
  if (error instanceof ReadbackError) return error;
  const { code, message } = reasonOf(error);
  return new ReadbackError('WAREHOUSE_UNREACHABLE', `${shown}: ${message}`, {
    hint: hints.find(([pattern]) => pattern.test(`${code} ${message}`))?.[1],
    cause: error,
  });
}

/** What to check, by the code or the words of the driver. */
const hints: readonly [RegExp, string][] = [
  [/ECONNREFUSED|ENOENT/, 'check host and port, and that Postgres is running there'],
  [/ENOTFOUND|EAI_AGAIN/, 'check the spelling of the host, and the name server'],
  [/ETIMEDOUT|timeout/i, 'check host and port, and that no firewall is in between'],
  [/^28/, 'check user and password, and pg_hba.conf on the server'],
  [/^3D000/, 'check the name of the database'],
  [/^53300/, 'lower max_connections, or raise it on the server'],
  [/SSL|certificate|self.signed/i, 'check sslmode and sslrootcert'],
  [/^57P0|ECONNRESET|EPIPE|terminated/i, 'the server closed the connection; it may be restarting'],
];

function reasonOf(error: unknown): { code: string; message: string } {
  // Node tries every address of a name and reports them together.
  const first = error instanceof AggregateError ? error.errors[0] : error;
  const { code = '', message = String(first) } = (first ?? {}) as { code?: string; message?: string };
  return { code, message };
}

/** Classes of SQLSTATE in which the SQL itself is at fault, not the data or the moment. */
const sqlFaults = /^(42|0A|25006)/;
/** Writing in a read-only transaction, or several statements. */
const refusals = /^25006|multiple commands/;
export const readOnlyHint = 'write one SELECT; the warehouse is only ever read';
const lostConnection = /^(08|57P0)|ECONNRESET|EPIPE|Connection terminated|not queryable/;

/** Whether the connection is gone, or could never be made. */
export function isLost(error: unknown): boolean {
  const { code, message } = reasonOf(error);
  return error instanceof AggregateError || lostConnection.test(code) || lostConnection.test(message);
}

export interface FailureContext {
  /** The statement as its author wrote it. */
  sql: string;
  /** What stands before it in the statement that was sent; places are given without. */
  prefix?: string;
  shown: string;
  timeoutMs: number;
  /** Nothing runs yet, so whatever is wrong is wrong with the SQL. */
  preparing?: boolean;
}

/** What went wrong in a session, in Postgres's own words. */
export function failureOf(error: unknown, context: FailureContext): ReadbackError {
  if (error instanceof ReadbackError) return error;
  const { code, message } = reasonOf(error);
  if (isLost(error)) return unreachable(error, context.shown);
  if (code === '57014' && /statement timeout/.test(message)) return pastDeadline(context.timeoutMs, error);
  const { position, hint } = error as DatabaseError;
  // The statement was good by itself; in parentheses only a query is.
  if (code === '42601' && context.prefix !== undefined) return notAQuery(error);
  const sqlAtFault = sqlFaults.test(code) || (context.preparing === true && code !== '57014');
  return new ReadbackError(sqlAtFault ? 'SIGNAL_SQL' : 'WAREHOUSE_QUERY', message, {
    place: position === undefined ? undefined : placeOf(Number(position) - 1, context.sql, context.prefix),
    hint: inOurForm(hint) ?? (refusals.test(`${code} ${message}`) ? readOnlyHint : undefined),
    cause: error,
  });
}

/** A `when` stands around the signal's SQL, which has a name there that its author has never seen. */
function inOurForm(hint: string | undefined): string | undefined {
  const column = /^Perhaps you meant to reference the column "(?:signal\.)?([^"]+)"\.$/.exec(hint ?? '')?.[1];
  return column === undefined ? hint : `did you mean \`${column}\`?`;
}

/** Undefined when the fault is in what was put around the statement. */
function placeOf(offset: number, sql: string, prefix = '') {
  const own = offset - [...prefix].length;
  return own >= 0 && own <= [...sql].length ? placeIn(sql, own, 'characters') : undefined;
}

/** The statement may be good SQL, but it does not return rows. */
export function notAQuery(cause?: unknown): ReadbackError {
  const place = { file: '', line: 1, column: 1 };
  return new ReadbackError('SIGNAL_SQL', 'this statement is not a query', {
    place,
    hint: readOnlyHint,
    cause,
  });
}
