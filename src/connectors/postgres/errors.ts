import { classifyNetworkError, quote } from '../calls.ts';
import { rejected } from '../outcomes.ts';
import type { Problem } from '../rest.ts';

/** SQLSTATEs after which nothing was written and another time will do: locks, serialisation, resources, our deadline. */
const later = /^(40(?!003)|55|53|57014)/;
/** Credentials, database, a standby or a server that starts or stops before the statement. */
const connectionWide = /^(28|3D000|25006|57P03)/;
/** The statement was rolled back because of the data, a rule of the table, or the statement itself. */
const refused = /^(0A|21|22|23|25|27|2F|38|39|42|44|P0)/;
/** Those of them which may be the fault of one row. */
const ofOneRow = /^(21|22|23|44|38|P0)/;

/**
 * What an error of the driver says about a statement that is its own transaction. Only the server's definite "rolled
 * back" is `rejected`: an administrator's 57P01 may come after the commit.
 *
 * @param isSent false: the error came while the connection was made
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function problemOf(error: unknown, isSent: boolean, secrets: readonly string[]): Problem {
  const { code, severity, message } = error as { code?: unknown; severity?: unknown; message?: unknown };
  if (typeof code !== 'string' || severity === undefined) return lostOr(error, isSent);
  const reason = `${code}: ${quote(message, secrets)}`;
  if (code === '53300') return { kind: 'throttled', retryAfterMs: null, reason };
  if (!isSent || connectionWide.test(code)) return { kind: 'unavailable', code, reason };
  if (later.test(code)) return { kind: 'rejected', code, reason, permanent: false };
  if (refused.test(code)) return rejected(code, reason);
  return { kind: 'ambiguous', reason };
}

/** Whether the rest of a batch may be fine. */
export function isOfOneRow(problem: Problem): boolean {
  return problem.kind === 'rejected' && problem.permanent && ofOneRow.test(problem.code);
}

function lostOr(error: unknown, isSent: boolean): Problem {
  const network = classifyNetworkError(error);
  if (network.kind === 'unavailable') return network;
  return isSent
    ? { kind: 'ambiguous', reason: network.reason }
    : { kind: 'unavailable', code: 'connect', reason: `no connection could be made: ${network.reason}` };
}
