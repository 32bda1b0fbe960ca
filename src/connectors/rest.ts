import { classifyNetworkError, heeded, quote, withDeadline } from './calls.ts';
import { type CallOptions, type Gate, NotSent, type Outcome, type Reading } from './connector.ts';
import { exchange, type Received } from './exchange.ts';

/** Why a request did not give an answer to use. */
export type Problem = Exclude<Outcome, { kind: 'applied' | 'already' }>;
export type Answer = { ok: true; headers: Headers; body: Record<string, unknown> };
/** `gone`: the vendor says that there is no such thing (404). */
export type Refused = { ok: false; gone: boolean; problem: Problem };

/** An answer with a status of 300 or more, or one that `isRefusal` knows, for the vendor's folder to read. */
export interface Refusal {
  status: number;
  headers: Headers;
  /** Undefined when the body is not a JSON object. */
  json: Record<string, unknown> | undefined;
  text: string;
  /** A text of the vendor's, fit for the ledger. */
  quote(text: string): string;
}

export interface RestApi {
  /** As messages name it. */
  vendor: string;
  /** Scheme, host and perhaps a path that all paths are appended to. */
  base: string;
  /** The `Authorization` header, where the vendor wants one. */
  authorization?: string;
  /** Never to be quoted. */
  secrets: readonly string[];
  gate: Gate;
  /** Whether an answer with a good status says no all the same, as GraphQL does. */
  isRefusal?(json: Record<string, unknown>): boolean;
  /** How the vendor says no. */
  problemOf(refusal: Refusal): Problem;
}

/** One request below the base. The body is JSON, or a form when given as one. */
export type Question = [
  method: string,
  path: string,
  call: CallOptions,
  body?: unknown,
  headers?: Record<string, string>,
];

const formType = 'application/x-www-form-urlencoded;charset=UTF-8';

/**
 * A vendor's JSON API over plain HTTP, for vendors whose SDK is in the way: one request, through the gate, under our own
 * deadline, without retries and redirects.
 */
export class Rest {
  readonly #api: RestApi;

  constructor(api: RestApi) {
    this.#api = { ...api, base: api.base.replace(/\/+$/, '') };
  }

  /**
   * Throws only `NotSent`. An answer without a body (204, or 202 and nothing said yet) has an empty one.
   */
  ask(...question: Question): Promise<Answer | Refused> {
    return this.#send(question, false);
  }

  /**
   * As `ask`, for what changes something: a 503 leaves it in doubt, also when it says when to come again, as a database that
   * timed out may say after it wrote. Taken for a no, a comment could be said twice, and a record that is there be
   * superseded as one that was never sent. The connection rests all the same.
   */
  write(...question: Question): Promise<Answer | Refused> {
    return this.#send(question, true);
  }

  /** @param writes whether it changes something at the vendor */
  async #send([method, path, call, body, headers]: Question, writes: boolean): Promise<Answer | Refused> {
    const answered = await this.#api.gate.pass(call.signal, call.beginBy);
    let usable = false;
    try {
      const { authorization } = this.#api;
      const isForm = body instanceof URLSearchParams;
      const url = new URL(this.#api.base + path);
      const response = await withDeadline(call, (signal) =>
        exchange(url, url.pathname + url.search, {
          method,
          signal,
          body: body === undefined || isForm ? body?.toString() : JSON.stringify(body),
          headers: {
            accept: 'application/json',
            ...(authorization === undefined ? {} : { authorization }),
            ...(body === undefined ? {} : { 'content-type': isForm ? formType : 'application/json' }),
            ...headers,
          },
        }),
      );
      const { status, text } = response;
      // Not followed: it would carry the credentials, or turn a POST into a GET.
      if (status >= 300 && status < 400) return this.unreadable('a redirect');
      const json = parse(text);
      usable = status < 300 && !(json && this.#api.isRefusal?.(json));
      if (!usable) return this.#refused(response, json, writes);
      if (status === 204 || (status === 202 && text === ''))
        return { ok: true, headers: response.headers, body: {} };
      return json
        ? { ok: true, headers: response.headers, body: json }
        : this.unreadable('an answer that is not JSON');
    } catch (error) {
      const network = classifyNetworkError(error);
      const problem: Problem =
        network.kind === 'lost' ? { kind: 'ambiguous', reason: network.reason } : network;
      return { ok: false, gone: false, problem };
    } finally {
      answered(usable);
    }
  }

  /** A good status with something else in it than what was asked for: nothing is known. */
  unreadable(what: string): Refused {
    const problem: Problem = { kind: 'ambiguous', reason: `${this.#api.vendor} gave ${what}` };
    return { ok: false, gone: false, problem };
  }

  #refused(
    { status, headers, text }: Received,
    json: Record<string, unknown> | undefined,
    writes: boolean,
  ): Refused {
    const { secrets, gate } = this.#api;
    const problem = this.#api.problemOf({
      status,
      headers,
      json,
      text,
      quote: (words) => quote(words, secrets),
    });
    heeded(gate, problem);
    if (writes && status === 503 && problem.kind === 'throttled')
      return { ok: false, gone: false, problem: { kind: 'ambiguous', reason: problem.reason } };
    return { ok: false, gone: status === 404, problem };
  }
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** A gate that refuses in the middle of a piece of work is an answer too: what was done before it stays done. */
export async function asked<T extends object>(ask: () => Promise<T>): Promise<T | Refused> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof NotSent) return { ok: false, gone: false, problem: error.outcome };
    throw error;
  }
}

/** A read that brought nothing may bring something the next time, unless the connection itself has to rest. */
export function asReading(problem: Problem): Reading {
  return problem.kind === 'ambiguous' || problem.kind === 'rejected'
    ? { kind: 'failed', reason: problem.reason }
    : problem;
}

/** A question before a write that failed is a definite "nothing was written", never an ambiguous write. */
export function beforeWriting(problem: Problem): Problem {
  return problem.kind === 'ambiguous'
    ? {
        kind: 'rejected',
        code: 'lookup',
        reason: `asking before writing: ${problem.reason}`,
        permanent: false,
      }
    : problem;
}
