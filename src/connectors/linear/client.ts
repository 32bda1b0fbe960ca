import { parseRetryAfter } from '../calls.ts';
import type { CallOptions, Gate } from '../connector.ts';
import { rejected } from '../outcomes.ts';
import { asked, type Problem, type Refusal, type Refused, Rest } from '../rest.ts';
import { documents, type Operation } from './documents.ts';
import type { Settings } from './schema.ts';

export interface Node {
  id: string;
}
type Data = Record<string, unknown>;
interface GraphQLError {
  message?: string;
  extensions?: { code?: string; type?: string; userError?: boolean; userPresentableMessage?: string };
}

/** Linear's GraphQL API: the only place that knows its address, limits and ways of saying no. */
export class Linear {
  readonly #rest: Rest;

  constructor(settings: Settings, gate: Gate) {
    const key = settings.api_key.reveal();
    this.#rest = new Rest({
      vendor: 'Linear',
      base: settings.base_url ?? 'https://api.linear.app',
      // A personal key goes without "Bearer".
      authorization: key,
      secrets: [key],
      gate,
      isRefusal: ({ errors }) => Array.isArray(errors) && errors.length > 0,
      problemOf,
    });
  }

  /** One operation. An answer with both data and errors is a refusal: what it did is not known field by field. */
  async ask(
    operation: Operation,
    variables: Data,
    call: CallOptions,
  ): Promise<{ ok: true; data: Data } | Refused> {
    const body = { operationName: operation, query: documents[operation], variables };
    const answer = await asked(() => this.#rest.ask('POST', '/graphql', call, body));
    if (!answer.ok) return answer;
    const { data } = answer.body;
    return isData(data) ? { ok: true, data } : this.#rest.unreadable('an answer without data');
  }

  /** A list of things with ids, by the name of its connection. */
  async list<Item extends Node>(
    operation: Operation,
    name: string,
    variables: Data,
    call: CallOptions,
  ): Promise<{ ok: true; nodes: Item[] } | Refused> {
    const answer = await this.ask(operation, variables, call);
    if (!answer.ok) return answer;
    const nodes = nodesOf<Item>(answer.data, name);
    return nodes ? { ok: true, nodes } : this.#rest.unreadable(`an answer without ${name}`);
  }

  unreadable(what: string): Refused {
    return this.#rest.unreadable(what);
  }
}

/** The nodes of a connection; undefined when the answer holds no such list. */
export function nodesOf<Item extends Node>(data: Data, name: string): Item[] | undefined {
  const { nodes } = (data[name] ?? {}) as { nodes?: unknown };
  return isList<Item>(nodes) ? nodes : undefined;
}

export function isList<Item extends Node>(value: unknown): value is Item[] {
  return Array.isArray(value) && value.every((one) => typeof one?.id === 'string');
}

function isData(value: unknown): value is Data {
  return typeof value === 'object' && value !== null;
}

/** A definite no that says so: the caller's input, or what the key may not do. */
const inputCodes = new Set([
  'INPUT_ERROR',
  'INVALID_INPUT',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_USER_INPUT',
  'FORBIDDEN',
]);

/** How Linear says no: `errors` with a code, under any status from 200 to 500 (linear.app/developers/rate-limiting). */
function problemOf({ status, headers, json, quote }: Refusal): Problem {
  const [first] = (json?.errors ?? []) as GraphQLError[];
  const { code = `http_${status}`, userPresentableMessage, userError } = first?.extensions ?? {};
  const words = [first?.message, userPresentableMessage].filter((one) => one !== undefined && one !== '');
  const reason = quote(`${code} ${[...new Set(words)].join(': ')}`);
  if (code === 'RATELIMITED' || status === 429)
    return { kind: 'throttled', retryAfterMs: pauseOf(headers), reason };
  if (status === 401 || status === 403 || code === 'AUTHENTICATION_ERROR')
    return { kind: 'unavailable', code, reason };
  if (isConflict(first)) return rejected(conflict, reason);
  if (inputCodes.has(code) || (status < 500 && userError === true)) return rejected(code, reason);
  return { kind: 'ambiguous', reason };
}

/** The code of the refusal to create what has our id already. */
export const conflict = 'conflict_on_insert';

/** Not documented; the words are those that two public clients report from the live API. */
function isConflict(error: GraphQLError | undefined): boolean {
  return error?.extensions?.code === 'INPUT_ERROR' && /^conflict on insert of/i.test(error.message ?? '');
}

/**
 * The reset headers (milliseconds since 1970) tell when the bucket is full again, up to an hour ahead. It fills steadily,
 * 2,500 an hour for a key, so that a minute's wait is worth 41 requests: nobody need wait longer.
 */
function pauseOf(headers: Headers): number | null {
  const told = parseRetryAfter(headers.get('retry-after'));
  if (told !== null) return told;
  const resets = ['requests', 'complexity', 'endpoint-requests'].flatMap((bucket) => {
    const spent = headers.get(`x-ratelimit-${bucket}-remaining`) === '0';
    const reset = Number(headers.get(`x-ratelimit-${bucket}-reset`) ?? Number.NaN);
    return spent && reset > Date.now() ? [reset - Date.now()] : [];
  });
  return resets.length === 0 ? null : Math.min(60_000, Math.max(...resets));
}
