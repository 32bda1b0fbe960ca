import { z } from 'zod';
import { parseRetryAfter } from '../calls.ts';
import type { CallOptions, Gate } from '../connector.ts';
import {
  type Answer,
  beforeWriting,
  type Problem,
  type Question,
  type Refusal,
  type Refused,
  Rest,
} from '../rest.ts';
import type { Settings } from './schema.ts';

/** Winter '25. Salesforce keeps a version for at least three years. */
const api = '/services/data/v62.0';
const expired = 'INVALID_SESSION_ID';

/** A record as collections take it, with `attributes.type`. */
export type SObject = Record<string, unknown>;

/** Salesforce's REST API: the only place that knows its addresses, its sessions and how it says no. */
export class Salesforce {
  readonly #settings: Settings;
  readonly #gate: Gate;
  #session: Rest | undefined;

  constructor(settings: Settings, gate: Gate) {
    this.#settings = settings;
    this.#gate = gate;
    const token = settings.access_token?.reveal();
    this.#session = token === undefined ? undefined : this.#sessionOf(token);
  }

  /** At most 200 records of one object; results come in the order of the records. */
  upsert(object: string, externalId: string, records: SObject[], autoAssign: boolean, call: CallOptions) {
    const path = `/composite/sobjects/${object}/${externalId}`;
    const headers = { 'sforce-auto-assign': String(autoAssign) };
    return this.#ask('PATCH', path, call, { allOrNone: false, records }, headers);
  }

  create(records: SObject[], call: CallOptions): Promise<Answer | Refused> {
    return this.#ask('POST', '/composite/sobjects', call, { allOrNone: false, records });
  }

  /** Records carry their `id`. */
  update(records: SObject[], call: CallOptions): Promise<Answer | Refused> {
    return this.#ask('PATCH', '/composite/sobjects', call, { allOrNone: false, records });
  }

  /** At most 200 ids. Salesforce puts the records into its recycle bin. */
  delete(ids: string[], call: CallOptions): Promise<Answer | Refused> {
    return this.#ask('DELETE', `/composite/sobjects?ids=${ids.join(',')}&allOrNone=false`, call);
  }

  query(soql: string, call: CallOptions): Promise<Answer | Refused> {
    return this.#ask('GET', `/query?q=${encodeURIComponent(soql)}`, call);
  }

  describe(object: string, call: CallOptions): Promise<Answer | Refused> {
    return this.#ask('GET', `/sobjects/${object}/describe`, call);
  }

  /** One request; a session that has ended is renewed, and the request made once more: nothing had been done. */
  async #ask(...[method, path, call, body, headers]: Question): Promise<Answer | Refused> {
    const session = this.#session ?? (await this.#logIn(call));
    if (!(session instanceof Rest)) return session;
    const way = method === 'GET' ? 'ask' : 'write';
    const answer = await session[way](method, api + path, call, body, headers);
    const ended = endOfSession(answer);
    if (answer.ok || !ended) return answer;
    if (this.#settings.client_secret === undefined) return this.#sessionLost(answer, ended);
    // Another call may have renewed it meanwhile.
    const renewed = this.#session && this.#session !== session ? this.#session : await this.#logIn(call);
    if (!(renewed instanceof Rest)) return renewed;
    const again = await renewed[way](method, api + path, call, body, headers);
    const endedAgain = endOfSession(again);
    return again.ok || !endedAgain ? again : this.#sessionLost(again, endedAgain);
  }

  /** The client credentials flow. Two calls that need a session at once log in twice, which does no harm. */
  async #logIn(call: CallOptions): Promise<Rest | Refused> {
    const secret = this.#settings.client_secret?.reveal() ?? '';
    const login = Buffer.from(`${this.#settings.client_id}:${secret}`).toString('base64');
    const door = this.#rest(`Basic ${login}`, [secret, login]);
    const form = new URLSearchParams({ grant_type: 'client_credentials' });
    const answer = await door.ask('POST', '/services/oauth2/token', call, form);
    if (!answer.ok && answer.problem.kind === 'rejected') return this.#sessionLost(answer, answer.problem);
    if (!answer.ok) return { ...answer, problem: beforeWriting(answer.problem) };
    const token = z.object({ access_token: z.string().min(1) }).safeParse(answer.body);
    if (!token.success) {
      const unreadable = door.unreadable('a login without an access token');
      return { ...unreadable, problem: beforeWriting(unreadable.problem) };
    }
    this.#session = this.#sessionOf(token.data.access_token);
    return this.#session;
  }

  /** No session can be had: a matter for the whole connection. */
  #sessionLost(refused: Refused, { code, reason }: Rejected): Refused {
    const problem = { kind: 'unavailable', code, reason } as const;
    this.#gate.heed(problem);
    return { ...refused, problem };
  }

  #sessionOf(token: string): Rest {
    const secret = this.#settings.client_secret?.reveal();
    return this.#rest(`Bearer ${token}`, secret === undefined ? [token] : [token, secret]);
  }

  #rest(authorization: string, secrets: readonly string[]): Rest {
    return new Rest({
      vendor: 'Salesforce',
      base: this.#settings.instance_url,
      authorization,
      secrets,
      gate: this.#gate,
      problemOf,
    });
  }
}

type Rejected = Problem & { kind: 'rejected' };

/** Sessions that are refused for what they are, not for their age (jsforce knows the same two): a new one would be, too. */
const unwanted = /not valid for use with the REST API|not attached to Agent/;

function endOfSession(answer: Answer | Refused): Rejected | undefined {
  if (answer.ok || answer.problem.kind !== 'rejected') return undefined;
  return answer.problem.code === expired ? answer.problem : undefined;
}

/** `[{errorCode, message}]`, or `{error, error_description}` from the login. */
const complaint = z.union([
  z
    .array(z.object({ errorCode: z.string(), message: z.string().default('') }))
    .min(1)
    .transform(([first]) => ({ code: first?.errorCode ?? '', message: first?.message ?? '' })),
  z
    .object({ error: z.string(), error_description: z.string().default('') })
    .transform(({ error, error_description }) => ({ code: error, message: error_description })),
]);

/** A day's requests are counted over the last 24 hours, and nobody says when the oldest leave: ask again later. */
const dayUsedUpMs = 15 * 60_000;

/** How Salesforce refuses a whole request. */
function problemOf({ status, headers, json, quote }: Refusal): Problem {
  const said = complaint.safeParse(json).data;
  const code = said?.code ?? `http_${status}`;
  const usage = headers.get('sforce-limit-info');
  const reason = quote(`${status} ${said?.message || code}`);
  if (code === 'REQUEST_LIMIT_EXCEEDED') {
    const used = quote(usage === null ? reason : `${reason} (${usage})`);
    const pauseMs = /TotalRequests/.test(reason) ? dayUsedUpMs : null;
    return {
      kind: 'throttled',
      retryAfterMs: parseRetryAfter(headers.get('retry-after')) ?? pauseMs,
      reason: used,
    };
  }
  if (status === 429 || (status === 503 && headers.has('retry-after')))
    return { kind: 'throttled', retryAfterMs: parseRetryAfter(headers.get('retry-after')), reason };
  // Nothing was done, and a new session may do: not yet a matter for the breaker.
  if (code === expired && !unwanted.test(reason)) return { kind: 'rejected', code, reason, permanent: false };
  // A missing permission on one object is no reason to leave the others alone.
  const forbidden = status === 403 && !code.startsWith('INSUFFICIENT_ACCESS');
  if (status === 401 || forbidden) return { kind: 'unavailable', code, reason };
  // 420 and 5xx: the org is being moved, or is in trouble.
  if (status === 408 || status === 420 || status >= 500) return { kind: 'ambiguous', reason };
  return { kind: 'rejected', code, reason, permanent: !isPassing(code) };
}

/** Codes with which Salesforce says that the same write may do later. */
const passing = new Set([
  'UNABLE_TO_LOCK_ROW',
  'SERVER_UNAVAILABLE',
  'REQUEST_RUNNING_TOO_LONG',
  'QUERY_TIMEOUT',
]);

export function isPassing(code: string): boolean {
  return passing.has(code);
}
