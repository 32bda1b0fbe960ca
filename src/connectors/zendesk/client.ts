import { classifyNetworkError, parseRetryAfter, quote, withDeadline } from '../calls.ts';
import type { CallOptions, Gate, Outcome } from '../connector.ts';
import type { Settings } from './schema.ts';

/** Why a request did not give an answer to use. */
export type Problem = Exclude<Outcome, { kind: 'applied' | 'already' }>;
type Refused = { ok: false; gone: boolean; problem: Problem };
type Answer = { ok: true; headers: Headers; body: Record<string, unknown> };

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

/** Zendesk's ticketing API: the only place that knows its addresses, limits and ways of saying no. */
export class Zendesk {
  readonly #base: string;
  readonly #authorization: string;
  readonly #secrets: string[];
  readonly #gate: Gate;

  constructor(settings: Settings, gate: Gate) {
    this.#base = (settings.base_url ?? `https://${settings.subdomain}.zendesk.com`).replace(/\/+$/, '');
    const login = Buffer.from(`${settings.email}/token:${settings.api_token.reveal()}`).toString('base64');
    this.#authorization = `Basic ${login}`;
    this.#secrets = [settings.api_token.reveal(), login];
    this.#gate = gate;
  }

  /** `role` is missing when Zendesk did not recognise the credentials. */
  async me(call: CallOptions): Promise<{ ok: true; role: string | undefined } | Refused> {
    const answer = await this.#ask('GET', '/api/v2/users/me', call);
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
    const answer = await this.#ask(
      'POST',
      '/api/v2/tickets',
      call,
      { ticket },
      { 'idempotency-key': requestKey },
    );
    if (!answer.ok) {
      // No such path for a create: no such account ("No help desk at …").
      if (answer.gone)
        return {
          ...answer,
          problem: { kind: 'unavailable', code: 'not_found', reason: answer.problem.reason },
        };
      return answer;
    }
    const ticketId = (answer.body.ticket as Ticket | undefined)?.id;
    if (ticketId === undefined) return unreadable('an answer without a ticket id');
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
    const answer = await this.#ask('PUT', `/api/v2/tickets/${ticketId}`, call, { ticket });
    return answer.ok && !answer.body.ticket ? unreadable('an answer without a ticket') : answer;
  }

  /** At most 100 ids. Tickets that do not exist are simply not in the answer. */
  showTickets(ids: string[], call: CallOptions): Promise<TicketList | Refused> {
    return this.#tickets(`/api/v2/tickets/show_many?ids=${ids.join(',')}&include=users`, call);
  }

  ticketsByExternalId(externalId: string, call: CallOptions): Promise<TicketList | Refused> {
    return this.#tickets(`/api/v2/tickets?external_id=${encodeURIComponent(externalId)}&include=users`, call);
  }

  async #tickets(path: string, call: CallOptions): Promise<TicketList | Refused> {
    const answer = await this.#ask('GET', path, call);
    if (!answer.ok) return answer;
    if (!Array.isArray(answer.body.tickets)) return unreadable('an answer without tickets');
    return {
      ok: true,
      tickets: answer.body.tickets,
      users: (answer.body.users as TicketList['users']) ?? [],
    };
  }

  /** One page of 100, oldest first. */
  async audits(
    ticketId: string,
    page: number,
    call: CallOptions,
  ): Promise<{ ok: true; audits: Audit[]; count: number } | Refused> {
    const answer = await this.#ask(
      'GET',
      `/api/v2/tickets/${ticketId}/audits?page=${page}&per_page=100`,
      call,
    );
    if (!answer.ok) return answer;
    if (!Array.isArray(answer.body.audits)) return unreadable('an answer without audits');
    return {
      ok: true,
      audits: answer.body.audits,
      count: Number(answer.body.count ?? answer.body.audits.length),
    };
  }

  async #ask(
    method: string,
    path: string,
    call: CallOptions,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer | Refused> {
    await this.#gate.pass(call.signal);
    try {
      const { response, text } = await withDeadline(call, async (signal) => {
        const response = await fetch(this.#base + path, {
          method,
          // A redirect would carry the credentials, or turn a POST into a GET.
          redirect: 'error',
          signal,
          headers: {
            authorization: this.#authorization,
            accept: 'application/json',
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            ...headers,
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        return { response, text: await response.text() };
      });
      const json = parse(text);
      if (!response.ok) return this.#refused(response, json, text);
      return json
        ? { ok: true, headers: response.headers, body: json }
        : unreadable('an answer that is not JSON');
    } catch (error) {
      const network = classifyNetworkError(error);
      const problem =
        network.kind === 'lost' ? { kind: 'ambiguous' as const, reason: network.reason } : network;
      return { ok: false, gone: false, problem };
    }
  }

  /** How Zendesk says no. Bodies are JSON, plain text (429) or HTML (proxies); only the status is relied on. */
  #refused(response: Response, json: Record<string, unknown> | undefined, text: string): Refused {
    const { status } = response;
    const code = typeof json?.error === 'string' ? json.error : `http_${status}`;
    const reason = quote(`${status} ${describe(json) ?? plain(text)}`.trim(), this.#secrets);
    const retryAfter = response.headers.get('retry-after');
    const no = (problem: Problem): Refused => {
      if (problem.kind === 'throttled' || problem.kind === 'unavailable') this.#gate.heed(problem);
      return { ok: false, gone: status === 404, problem };
    };

    // 503 with Retry-After is Zendesk's maintenance answer: nothing was taken in.
    if (status === 429 || (status === 503 && retryAfter !== null))
      return no({ kind: 'throttled', retryAfterMs: parseRetryAfter(retryAfter), reason });
    if (status === 401 || status === 403) return no({ kind: 'unavailable', code, reason });
    // An earlier request with this key was taken in with another body: whether it was written, read-back decides.
    if (code === 'IdempotentRequestError' || status === 408 || status >= 500)
      return no({ kind: 'ambiguous', reason });
    // 409: two updates at once, 423: locked meanwhile.
    return no({ kind: 'rejected', code, reason, permanent: status !== 409 && status !== 423 });
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

function unreadable(what: string): Refused {
  return { ok: false, gone: false, problem: { kind: 'ambiguous', reason: `Zendesk gave ${what}` } };
}
