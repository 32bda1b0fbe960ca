import type { Agent } from 'node:http';
import { Secret } from '../../config/secret.ts';
import { AddressRefused, guardedLookup, isRefused } from '../addresses.ts';
import { agentFor } from '../agents.ts';
import { classifyNetworkError, parseRetryAfter, quote, throughGate, withDeadline } from '../calls.ts';
import type { CallOptions, Gate, Throttled, Unavailable } from '../connector.ts';
import { exchange, type Received, TooLarge } from '../exchange.ts';
import { readJson } from './pointer.ts';
import type { Settings } from './schema.ts';

/** One request below the base URL. `path` is escaped already. */
export interface ApiRequest {
  method: string;
  path: string;
  headers: Readonly<Record<string, string>>;
  /** Sent as JSON; undefined sends no body. */
  body: unknown;
  /** A connection of its own: one that is reused may be closed by the server at the very moment of the request. */
  fresh?: boolean;
}

export interface Answered {
  kind: 'answered';
  status: number;
  /** Undefined when the answer is not JSON. */
  json: unknown;
  /** Nothing at all came back, as after a 204 or a bare 404. */
  empty: boolean;
  /** The text, when it is not JSON and not a page of HTML. */
  text: string;
  isPage: boolean;
  retryAfter: string | undefined;
}

/** What a request came to; everything but `answered` means that there is no answer to use. */
export type Reply = Answered | Throttled | Unavailable | { kind: 'lost'; reason: string };

/** Where the API is, and who we are there. */
export type Access = Pick<
  Settings,
  'base_url' | 'link_local' | 'headers' | 'bearer_token' | 'username' | 'password'
> & {
  /** More texts that must never be quoted. */
  secrets?: (Secret | undefined)[];
};

/** The API over HTTP: one origin, no redirects, bounded answers. The only place that holds its credentials. */
export class Api {
  readonly #base: URL;
  readonly #prefix: string;
  readonly #headers: Record<string, string>;
  readonly #secrets: string[];
  readonly #gate: Gate;
  readonly #linkLocal: boolean;
  readonly #reused: Agent;
  readonly #fresh: Agent;

  constructor(settings: Access, gate: Gate) {
    this.#base = new URL(settings.base_url);
    this.#prefix = this.#base.pathname.replace(/\/+$/, '');
    const { headers, secrets } = credentials(settings);
    this.#headers = headers;
    this.#secrets = secrets.flatMap(spellings);
    this.#gate = gate;
    this.#linkLocal = settings.link_local;
    this.#reused = agentFor(this.#base.protocol);
    this.#fresh = agentFor(this.#base.protocol, false);
  }

  /** Sends one request, once, when the gate lets it pass. Never throws for what the network or the API does. */
  async send(request: ApiRequest, call: CallOptions): Promise<Reply> {
    const exchange = async (): Promise<Reply> => {
      try {
        if (!this.#linkLocal && isRefused(this.#base.hostname)) throw new AddressRefused();
        return await withDeadline(call, (signal) => this.#exchange(request, signal));
      } catch (error) {
        if (error instanceof AddressRefused)
          return { kind: 'unavailable', code: 'address_refused', reason: error.message };
        if (error instanceof TooLarge) return { kind: 'lost', reason: 'the answer is larger than 4 MB' };
        return classifyNetworkError(error);
      }
    };
    return throughGate(
      this.#gate,
      call,
      exchange,
      (reply) => reply.kind === 'answered' && reply.status < 400,
    );
  }

  /** The API's words, without our secrets, short enough for the ledger. */
  quote(text: unknown): string {
    return quote(text, this.#secrets);
  }

  /** A connection-wide refusal, which the rest of a batch must not run into. */
  heed<Refusal extends Throttled | Unavailable>(refusal: Refusal): Refusal {
    this.#gate.heed(refusal);
    return refusal;
  }

  close(): void {
    this.#reused.destroy();
    this.#fresh.destroy();
  }

  async #exchange(
    { method, path, headers, body, fresh }: ApiRequest,
    signal: AbortSignal,
  ): Promise<Answered> {
    const received = await exchange(this.#base, `${this.#prefix}${path}` || '/', {
      method,
      agent: fresh ? this.#fresh : this.#reused,
      signal,
      ...(this.#linkLocal ? {} : { lookup: guardedLookup }),
      body: body === undefined ? undefined : JSON.stringify(body),
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...this.#headers,
        ...lowerCased(headers),
      },
    });
    return understand(received);
  }
}

function understand({ status, headers, text }: Received): Answered {
  const json = readJson(text);
  const isPage = /html/i.test(headers.get('content-type') ?? '') || /^\s*</.test(text);
  return {
    kind: 'answered',
    status,
    json,
    empty: text.trim() === '',
    text: json === undefined && !isPage ? text : '',
    isPage,
    retryAfter: headers.get('retry-after') ?? undefined,
  };
}

/** The headers of every request, and the texts that must never be quoted. */
function credentials(settings: Access): { headers: Record<string, string>; secrets: string[] } {
  const headers: Record<string, string> = {};
  const secrets = (settings.secrets ?? []).flatMap((secret) => secret?.reveal() ?? []);
  for (const [name, value] of Object.entries(settings.headers)) {
    if (value instanceof Secret) secrets.push(value.reveal(), ...value.reveal().split(/\s+/).slice(1));
    headers[name.toLowerCase()] = value instanceof Secret ? value.reveal() : value;
  }
  if (settings.bearer_token) {
    secrets.push(settings.bearer_token.reveal());
    headers.authorization = `Bearer ${settings.bearer_token.reveal()}`;
  }
  if (settings.username !== undefined && settings.password) {
    const login = Buffer.from(`${settings.username}:${settings.password.reveal()}`).toString('base64');
    secrets.push(settings.password.reveal(), login);
    headers.authorization = `Basic ${login}`;
  }
  return { headers, secrets };
}

/** A secret as an API may repeat it: as it is, inside JSON, inside an address. */
function spellings(secret: string): string[] {
  return [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)];
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** How long a 429 or 503 asks to wait. */
export function retryAfterMs({ retryAfter }: Answered): number | null {
  return parseRetryAfter(retryAfter);
}
