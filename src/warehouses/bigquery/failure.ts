import type { z } from 'zod';
import { type Place, ReadbackError } from '../../errors.ts';
import { pastDeadline } from '../deadline.ts';
import { Malformed } from './values.ts';

/**
 * What BigQuery, or the way to it, said no with. Nothing else of the SDK's error is kept: it holds the request, and that
 * holds the token.
 */
export class Refusal extends Error {
  /** HTTP's; undefined when no answer came, or when a job failed. */
  readonly status: number | undefined;
  /** BigQuery's word (https://cloud.google.com/bigquery/docs/error-messages), or the network's: `ECONNREFUSED`. */
  readonly reason: string;

  constructor(message: string, reason: string, status?: number) {
    super(message);
    this.reason = reason;
    this.status = status;
  }

  /** Nobody knows whether it was done: no answer came, or one that says as much. */
  get isAmbiguous(): boolean {
    return this.isUnanswered || (this.status ?? 0) >= 500;
  }

  /** The network failed, not BigQuery. */
  get isUnanswered(): boolean {
    return /^E[A-Z_]+$/.test(this.reason);
  }
}

/** What of an error of the SDK may be told. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const found: Partial<SdkError> = error instanceof Object ? error : {};
  const [first] = Array.isArray(found.errors) ? found.errors : [];
  const message = String(first?.message ?? found.message ?? error);
  const status = Number(found.code ?? Number.NaN);
  if (Number.isInteger(status)) return new Refusal(message, String(first?.reason ?? ''), status);
  // Its message quotes the answer, whoever's that is.
  if (error instanceof SyntaxError) return new Refusal('the answer is not JSON', 'EBADANSWER');
  return new Refusal(message, networkCode(found) ?? 'credentials');
}

/** An answer that is not of the documented form: a proxy's page, or a job without its reference. */
export function unreadable(error: z.ZodError): Refusal {
  const where = error.issues[0]?.path.join('.') || 'all of it';
  return new Refusal(`an answer cannot be understood (${where})`, 'EBADANSWER');
}

interface SdkError {
  code: unknown;
  message: unknown;
  errors: { reason?: unknown; message?: unknown }[];
  cause: unknown;
}

/** The library that fetches tokens hides the network's code in the cause. */
function networkCode({ code, cause }: Partial<SdkError>): string | undefined {
  if (typeof code === 'string' && /^E[A-Z_]+$/.test(code)) return code;
  return cause instanceof Object ? networkCode(cause) : undefined;
}

export interface FailureContext {
  /** The statement as it was sent. */
  sql: string;
  /** Nothing runs yet, so whatever is wrong is wrong with the SQL. */
  preparing: boolean;
  /** The project, for messages. */
  shown: string;
  timeoutMs: number;
}

const roles = 'roles/bigquery.jobUser on the project and roles/bigquery.dataViewer on the data';

/** What to check when BigQuery is not reached, by its word, the network's, or the text. */
const hints: readonly [RegExp, string][] = [
  [/ECONNRESET|EPIPE|hang up/, 'the connection was cut; check the network'],
  [
    /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH/,
    'check `endpoint`, the network, and that no firewall is in between',
  ],
  [/EBADANSWER/, 'check `endpoint`: something else than BigQuery answered'],
  [/impersonate/, 'give the account roles/iam.serviceAccountTokenCreator on the one in `impersonate`'],
  [/default credentials/, 'run `gcloud auth application-default login`, or set `credentials`'],
  [
    /authError|credentials|invalid_grant|^401/,
    'check `credentials`: the key may be deleted, or the clock of this machine wrong',
  ],
  [/accessDenied|^403/, `give the account ${roles}`],
  [/notFound/, 'check `project`'],
  [/backendError|internalError|^5/, 'BigQuery has a fault of its own; the next poll asks again'],
];

/** Reasons of a query that was understood and did not succeed, with what to do. */
const queryHints: Readonly<Record<string, string>> = {
  bytesBilledLimitExceeded:
    'make the query scan less (partitions, fewer columns), or raise `maximum_bytes_billed`',
  quotaExceeded: 'poll less often, or raise the quota of the project',
  rateLimitExceeded: 'poll less often, or raise the quota of the project',
  jobRateLimitExceeded: 'poll less often, or raise the quota of the project',
  resourcesExceeded: 'make the query cheaper',
  stopped: 'somebody cancelled the job in BigQuery',
};

/** The SQL itself may be at fault, not the data or the moment. */
const sqlReasons = new Set(['invalidQuery', 'invalid', 'parseError', 'required']);
const missingData = /Not found: (Table|Dataset|Function|Routine|Column|View)/;

/** What went wrong, in BigQuery's own words. */
export function failureOf(error: unknown, context: FailureContext): ReadbackError {
  if (error instanceof ReadbackError) return error;
  if (error instanceof Malformed) return unreachable(new Refusal(error.message, 'EBADANSWER'), context);
  const refusal = refusalOf(error);
  const { reason, message } = refusal;
  if (reason === 'timeout' || /^Job timed out|Job execution was cancelled: Job timed out/.test(message))
    return pastDeadline(context.timeoutMs);
  const queryHint = queryHints[reason];
  if (queryHint !== undefined) return new ReadbackError('WAREHOUSE_QUERY', message, { hint: queryHint });
  const missing = reason === 'notFound' && missingData.test(message);
  if (missing || sqlReasons.has(reason)) {
    const code = missing || context.preparing ? 'SIGNAL_SQL' : 'WAREHOUSE_QUERY';
    return new ReadbackError(code, withoutPlace(message), { place: placeIn(message, context.sql) });
  }
  const reached = refusal.status === undefined && !refusal.isUnanswered && reason !== 'credentials';
  if (reached) return new ReadbackError('WAREHOUSE_QUERY', message);
  return unreachable(refusal, context);
}

function unreachable(refusal: Refusal, { shown }: FailureContext): ReadbackError {
  const { status = '', reason, message } = refusal;
  const told = `${status} ${reason} ${message}`.trim();
  return new ReadbackError('WAREHOUSE_UNREACHABLE', `${shown}: ${message}`, {
    hint:
      hints.find(([pattern]) => pattern.test(told))?.[1] ?? 'check `project`, `endpoint` and `credentials`',
  });
}

/** GoogleSQL ends a complaint with the place: `Unrecognized name: scor at [3:15]`. */
const placeAtEnd = /\s+at \[(\d+):(\d+)\]\s*$/;

function placeIn(message: string, sql: string): Place | undefined {
  const [, line, column] = placeAtEnd.exec(message) ?? [];
  if (line === undefined) return undefined;
  const text = sql.split(/\r\n|\r|\n/)[Number(line) - 1] ?? '';
  return { file: '', line: Number(line), column: withTabsAsOne(text, Number(column)) };
}

/** GoogleSQL counts characters, but a tab up to the next multiple of eight (zetasql/public/parse_location.cc). */
function withTabsAsOne(line: string, told: number): number {
  let counted = 1;
  let column = 1;
  for (const character of line) {
    if (counted >= told) break;
    counted = character === '\t' ? Math.ceil(counted / 8) * 8 + 1 : counted + 1;
    column += 1;
  }
  return column;
}

function withoutPlace(message: string): string {
  return message.replace(placeAtEnd, '');
}

/** The statement may be good SQL, but it is not one query. */
export function notAQuery(statementType: string | undefined): ReadbackError {
  const found = statementType === undefined ? '' : ` but ${statementType}`;
  return new ReadbackError('SIGNAL_SQL', `this statement is not a SELECT${found}`, {
    place: { file: '', line: 1, column: 1 },
    hint: 'write one SELECT; the warehouse is only ever read',
  });
}
