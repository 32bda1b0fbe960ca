import { type Place, ReadbackError } from '../../errors.ts';
import { pastDeadline } from '../deadline.ts';
import { placeIn } from '../statement.ts';

/** What is used of the driver's errors: they hold the whole answer of the server. */
interface Report {
  code: string;
  message: string;
  sqlState: string;
  line: number;
  position: number;
}

function reportOf(error: unknown): Report {
  const { code, message, sqlState, data, cause } = (error ?? {}) as {
    code?: unknown;
    message?: unknown;
    sqlState?: unknown;
    data?: { line?: unknown; pos?: unknown };
    cause?: { code?: unknown };
  };
  const text = String(message ?? error).trim();
  const [, line, position] = /line (\d+) at position (\d+)/.exec(text) ?? [];
  const told = typeof data?.line === 'number' && data.line > 0 && typeof data.pos === 'number';
  return {
    code: [code, cause?.code].filter((part) => part !== undefined).join(' '),
    message: text,
    sqlState: String(sqlState ?? ''),
    line: told ? Number(data.line) : Number(line ?? 0),
    position: told ? Number(data.pos) : Number(position ?? 0),
  };
}

/** The session or the way to it is gone; the driver's own numbers are in its dist/lib/error_code.js. */
const lost =
  /\b(40100[1-4]|40550[13]|40700[12]|39010[45]|39011[0-9]|390195|ECONN\w+|ENOTFOUND|EAI_AGAIN|ETIMEDOUT)\b/;

export function isLost(error: unknown): boolean {
  return lost.test(reportOf(error).code);
}

/** What to check, by the code or the words of the server or the driver. */
const hints: readonly [RegExp, string][] = [
  [/ENOTFOUND|EAI_AGAIN/, 'check the spelling of account or url, and the name server'],
  [/ECONNREFUSED/, 'check url: nothing listens there'],
  [
    /\b(403|404)\b.*status|forbidden|390422|390429|network policy/i,
    'check account, and that a network policy lets this address in',
  ],
  [
    /390144|JWT|390143/i,
    'check that the public key of private_key is set for the user (describe user), and account and user',
  ],
  [
    /394400|394300|access token is/i,
    'check token: it may have expired, or the user may have no network policy',
  ],
  [
    /39030[1-9]|39031\d|oauth/i,
    'check the OAuth settings and the security integration; an access token ends after minutes',
  ],
  [
    /390100|390102|password/i,
    'check user and password; a person’s account needs a second factor, a service needs a key pair',
  ],
  [
    /private key|PEM|DECODER|passphrase|bad decrypt|asn1|pkcs/i,
    'private_key is the PEM text of an RSA key; an encrypted one needs private_key_passphrase',
  ],
  [/390189|role/i, 'check role: it must exist and be granted to the user'],
  [/certificate|self.signed|SSL|OCSP/i, 'check that nothing in between opens the encryption'],
  [
    /ECONN|EPIPE|ETIMEDOUT|timeout|Network/i,
    'check the network; the account may be out of reach for a moment',
  ],
];

/**
 * A session that cannot be had, or was lost. The driver's error stays behind: it holds what was sent to log in.
 */
export function unreachable(error: unknown, shown: string): ReadbackError {
  if (error instanceof ReadbackError) return error;
  const { code, message } = reportOf(error);
  return new ReadbackError('WAREHOUSE_UNREACHABLE', `${shown}: ${message}`, {
    hint:
      hints.find(([pattern]) => pattern.test(`${code} ${message}`))?.[1] ??
      'check the settings of the warehouse in readback.yml',
  });
}

/** Classes of SQLSTATE in which the SQL itself is at fault, not the data or the moment. */
export function isSqlFault(error: unknown): boolean {
  const { sqlState, message } = reportOf(error);
  return /^(42|02000|0A000)/.test(sqlState) || /SQL compilation error/.test(message);
}

export interface FailureContext {
  /** The statement as it was sent. */
  sql: string;
  shown: string;
  timeoutMs: number;
}

/** What went wrong with a statement, in Snowflake's own words. */
export function failureOf(error: unknown, context: FailureContext): ReadbackError {
  if (error instanceof ReadbackError) return error;
  const report = reportOf(error);
  if (isLost(error)) return unreachable(error, context.shown);
  // 000630: the statement's timeout; 000604: cancelled by somebody.
  if (/\b0*630\b/.test(report.code)) return pastDeadline(context.timeoutMs);
  if (/\b0*606\b/.test(report.code)) {
    return new ReadbackError('WAREHOUSE_QUERY', report.message, {
      hint: 'set `warehouse` to a virtual warehouse that the role may use',
    });
  }
  const sqlAtFault = isSqlFault(error);
  return new ReadbackError(sqlAtFault ? 'SIGNAL_SQL' : 'WAREHOUSE_QUERY', report.message, {
    place: sqlAtFault ? placeOf(report, context.sql) : undefined,
  });
}

const textsAndComments = /'(?:[^']|'')*'|--[^\n]*|\/\*[\s\S]*?\*\//g;

/** Lines count from 1 and positions from 0. What does not exist is told without a place, by its name. */
function placeOf({ line, position, message }: Report, sql: string): Place | undefined {
  if (line > 0) return { file: '', line, column: position + 1 };
  const [, name] = /^(?:Object|Table|View|Schema|Database) '([^']+)' does not exist/m.exec(message) ?? [];
  const last = name?.split('.').at(-1)?.replaceAll('"', '') ?? '';
  if (!/^\w+$/.test(last)) return undefined;
  const outside = sql.replaceAll(textsAndComments, (text) => ' '.repeat(text.length));
  const found = new RegExp(`(?<![\\w$])${last}(?![\\w$])`, 'i').exec(outside);
  return found ? placeIn(sql, [...sql.slice(0, found.index)].length, 'characters') : undefined;
}

/** The statement may be good SQL, but it is not one query. */
export function notAQuery(): ReadbackError {
  return new ReadbackError('SIGNAL_SQL', 'this statement is not a query', {
    place: { file: '', line: 1, column: 1 },
    hint: 'write one SELECT; the warehouse is only ever read',
  });
}
