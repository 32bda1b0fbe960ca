import { parseRetryAfter } from '../calls.ts';
import type { CallOptions, Gate } from '../connector.ts';
import { rejected } from '../outcomes.ts';
import {
  type Answer,
  asked,
  beforeWriting,
  type Problem,
  type Question,
  type Refusal,
  type Refused,
  Rest,
} from '../rest.ts';
import type { Settings } from './schema.ts';

export interface Ticket extends Record<string, unknown> {
  id: number;
  requester_id?: number;
  custom_fields?: { id: number; value: unknown }[];
}
export interface TicketList {
  ok: true;
  tickets: Ticket[];
  users: { id: number; email?: string }[];
}
export interface Audit {
  id: number;
  metadata?: { custom?: { readback_key?: string } };
  events?: { type: string; body?: string }[];
}

/** A user or an organisation. */
export interface Profile extends Record<string, unknown> {
  id: number;
}

/** Where an account's API and its pages are. */
export function addressOf({ base_url, subdomain }: Pick<Settings, 'base_url' | 'subdomain'>): string {
  return (base_url ?? `https://${subdomain}.zendesk.com`).replace(/\/+$/, '');
}

/** Zendesk's ticketing API: the only place that knows its addresses, limits and ways of saying no. */
export class Zendesk {
  readonly #rest: Rest;
  /** For questions about the account, where a 403 is no record's. */
  readonly #account: Rest;
  readonly #gate: Gate;

  constructor(settings: Settings, gate: Gate) {
    const login = Buffer.from(`${settings.email}/token:${settings.api_token.reveal()}`).toString('base64');
    const api = {
      vendor: 'Zendesk',
      base: addressOf(settings),
      authorization: `Basic ${login}`,
      secrets: [settings.api_token.reveal(), login],
      gate,
    };
    this.#rest = new Rest({ ...api, problemOf });
    this.#account = new Rest({ ...api, problemOf: (refusal) => ofAccount(problemOf(refusal)) });
    this.#gate = gate;
  }

  /**
   * One request. Zendesk says 403 in the same words of one record and of the whole account, so a 403 is followed by the
   * question who we are: when that is answered, it was about the record, and the others need not wait.
   */
  async ask(...question: Question): Promise<Answer | Refused> {
    const [method, , call] = question;
    const answer = await this.#rest[method === 'GET' ? 'ask' : 'write'](...question);
    if (answer.ok || !isForbidden(answer.problem)) return answer;
    const account = await asked(() => this.me(call));
    if (!account.ok) return { ...answer, problem: beforeWriting(account.problem) };
    if (account.role !== undefined && account.role !== 'end-user') return answer;
    const problem = ofAccount(answer.problem);
    if (problem.kind === 'unavailable') this.#gate.heed(problem);
    return { ...answer, problem };
  }

  /** A POST of a new record. No such path: no such account ("No help desk at …"). */
  async create(
    path: string,
    call: CallOptions,
    body: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer | Refused> {
    const answer = await this.ask('POST', path, call, body, headers);
    if (answer.ok || !answer.gone) return answer;
    return {
      ...answer,
      problem: { kind: 'unavailable', code: 'not_found', reason: answer.problem.reason },
    };
  }

  /** A good status with something else in it than what was asked for. */
  unreadable(what: string): Refused {
    return this.#rest.unreadable(what);
  }

  /** `role` is missing when Zendesk did not recognise the credentials. */
  async me(call: CallOptions): Promise<{ ok: true; role: string | undefined } | Refused> {
    const answer = await this.#account.ask('GET', '/api/v2/users/me', call);
    if (!answer.ok) return answer;
    const user = answer.body.user as { id?: number | null; role?: string } | undefined;
    return { ok: true, role: user?.id ? user.role : undefined };
  }

  /** `Idempotency-Key` is honoured for two hours per account; `replayed` is its echo of the first answer. */
  async createTicket(
    ticket: Record<string, unknown>,
    requestKey: string,
    call: CallOptions,
  ): Promise<{ ok: true; ticketId: string; replayed: boolean } | Refused> {
    const headers = { 'idempotency-key': requestKey };
    const answer = await this.create('/api/v2/tickets', call, { ticket }, headers);
    if (!answer.ok) return answer;
    const ticketId = (answer.body.ticket as Ticket | undefined)?.id;
    if (ticketId === undefined) return this.unreadable('an answer without a ticket id');
    return {
      ok: true,
      ticketId: String(ticketId),
      replayed: answer.headers.get('x-idempotency-lookup') === 'hit',
    };
  }

  async updateTicket(
    ticketId: string,
    ticket: Record<string, unknown>,
    call: CallOptions,
  ): Promise<Answer | Refused> {
    const answer = await this.ask('PUT', `/api/v2/tickets/${ticketId}`, call, { ticket });
    return answer.ok && !answer.body.ticket ? this.unreadable('an answer without a ticket') : answer;
  }

  /** At most 100 ids. Tickets that do not exist are simply not in the answer. */
  showTickets(ids: string[], call: CallOptions): Promise<TicketList | Refused> {
    return this.#tickets(`/api/v2/tickets/show_many?ids=${ids.join(',')}&include=users`, call);
  }

  ticketsByExternalId(externalId: string, call: CallOptions): Promise<TicketList | Refused> {
    return this.#tickets(`/api/v2/tickets?external_id=${encodeURIComponent(externalId)}&include=users`, call);
  }

  async #tickets(path: string, call: CallOptions): Promise<TicketList | Refused> {
    const answer = await this.ask('GET', path, call);
    if (!answer.ok) return answer;
    if (!Array.isArray(answer.body.tickets)) return this.unreadable('an answer without tickets');
    return {
      ok: true,
      tickets: answer.body.tickets,
      users: (answer.body.users as TicketList['users']) ?? [],
    };
  }

  /** At most 100. Those that do not exist are not in the answer. */
  showProfiles(
    type: 'user' | 'organization',
    by: 'ids' | 'external_ids',
    names: string[],
    call: CallOptions,
  ): Promise<{ ok: true; profiles: Profile[] } | Refused> {
    const list = names.map(encodeURIComponent).join(',');
    return this.#profiles(`${type}s`, `/api/v2/${type}s/show_many?${by}=${list}`, call);
  }

  /** A search, which "can take up to a few minutes" to know of what is new, and also finds second addresses. */
  usersByEmail(email: string, call: CallOptions): Promise<{ ok: true; profiles: Profile[] } | Refused> {
    const query = encodeURIComponent(`email:"${email.replaceAll('"', '')}"`);
    return this.#profiles('users', `/api/v2/users/search?query=${query}`, call);
  }

  async #profiles(
    list: string,
    path: string,
    call: CallOptions,
  ): Promise<{ ok: true; profiles: Profile[] } | Refused> {
    const answer = await this.ask('GET', path, call);
    if (!answer.ok) return answer;
    const profiles = answer.body[list];
    return Array.isArray(profiles) ? { ok: true, profiles } : this.unreadable(`an answer without ${list}`);
  }

  /** One page of 100, oldest first. */
  async audits(
    ticketId: string,
    page: number,
    call: CallOptions,
  ): Promise<{ ok: true; audits: Audit[]; count: number } | Refused> {
    const answer = await this.ask(
      'GET',
      `/api/v2/tickets/${ticketId}/audits?page=${page}&per_page=100`,
      call,
    );
    if (!answer.ok) return answer;
    if (!Array.isArray(answer.body.audits)) return this.unreadable('an answer without audits');
    return {
      ok: true,
      audits: answer.body.audits,
      count: Number(answer.body.count ?? answer.body.audits.length),
    };
  }
}

const forbidden = 'forbidden';

/** Whether Zendesk said 403, which it says of records and of accounts. */
export function isForbidden(problem: Problem): boolean {
  return problem.kind === 'rejected' && problem.code === forbidden;
}

/** The same no where it is known to be the account's. */
function ofAccount(problem: Problem): Problem {
  return problem.kind === 'rejected' && isForbidden(problem)
    ? { kind: 'unavailable', code: problem.code, reason: problem.reason }
    : problem;
}

/** How Zendesk says no. Bodies are JSON, plain text (429) or HTML (proxies); only the status is relied on. */
function problemOf({ status, headers, json, text, quote }: Refusal): Problem {
  const code = typeof json?.error === 'string' ? json.error : `http_${status}`;
  const reason = quote(`${status} ${describe(json) ?? plain(text)}`);
  const retryAfter = headers.get('retry-after');
  // 503 with Retry-After: maintenance, or a database that timed out.
  if (status === 429 || (status === 503 && retryAfter !== null))
    return { kind: 'throttled', retryAfterMs: parseRetryAfter(retryAfter), reason };
  if (status === 401) return { kind: 'unavailable', code, reason };
  if (status === 403) return rejected(forbidden, reason);
  // An earlier request with this key was taken in with another body: whether it was written, read-back decides.
  if (code === 'IdempotentRequestError' || status === 408 || status >= 500)
    return { kind: 'ambiguous', reason };
  // 409: two updates at once, 423: locked meanwhile.
  return { kind: 'rejected', code, reason, permanent: status !== 409 && status !== 423 };
}

/** The most precise words of an error body: each field's complaint, else the description. */
function describe(json: Record<string, unknown> | undefined): string | undefined {
  if (!json) return undefined;
  const complaints = Object.values((json.details as Record<string, { description?: string }[]>) ?? {})
    .flat()
    .flatMap((detail) => detail?.description ?? []);
  if (complaints.length > 0) return complaints.join('; ');
  // Some errors are an object: {"error":{"title":"Forbidden","message":"…"}}.
  const nested = json.error as { title?: string; message?: string } | undefined;
  return [json.description, nested?.message, nested?.title, json.error].find(
    (words) => typeof words === 'string',
  ) as string | undefined;
}

function plain(text: string): string {
  return text.trimStart().startsWith('<') ? '' : text;
}
