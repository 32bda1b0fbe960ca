import type { WebClient } from '@slack/web-api';
import {
  beginCall,
  callDeadline,
  classifyNetworkError,
  heeded,
  parseRetryAfter,
  quote,
  withDeadline,
} from '../calls.ts';
import { type CallOptions, type Gate, NotSent } from '../connector.ts';
import { exchange } from '../exchange.ts';
import { rejected } from '../outcomes.ts';
import { judgeError, type Problem } from './errors.ts';
import type { Settings } from './schema.ts';

/** `error` is Slack's own word for it, when there is one. */
export interface Refused {
  ok: false;
  error: string | undefined;
  problem: Problem;
}
export interface Answered {
  ok: true;
  body: Record<string, unknown>;
}

/** `@slack/web-api` without its retries, its queue and its log: the only place that knows how Slack says no. */
export class Slack {
  readonly #webClient: typeof WebClient;
  readonly #token: string;
  readonly #url: string;
  readonly #gate: Gate;

  private constructor(webClient: typeof WebClient, settings: Settings, gate: Gate) {
    this.#webClient = webClient;
    this.#token = settings.bot_token.reveal();
    this.#url = apiUrl(settings.base_url);
    this.#gate = gate;
  }

  static async open(settings: Settings, gate: Gate): Promise<Slack> {
    const { WebClient } = await import('@slack/web-api');
    return new Slack(WebClient, settings, gate);
  }

  /**
   * Calls one Web API method. A client is made for each call (0.05 ms) because only so can a call have a signal and
   * a deadline of its own, and because a shared one holds all calls back after a 429.
   */
  async call(method: string, args: Record<string, unknown>, call: CallOptions): Promise<Answered | Refused> {
    const answered = await this.#gate.pass(call.signal, call.beginBy);
    let response: Response | undefined;
    let usable = false;
    try {
      const body = await withDeadline(call, (signal) => {
        const until = callDeadline();
        const client = new this.#webClient(this.#token, {
          slackApiUrl: this.#url,
          retryConfig: { retries: 0 },
          rejectRateLimitedCalls: true,
          logger: silent,
          fetch: async (url: string | URL | Request, init?: RequestInit) => {
            response = await fetched(new Request(url, init), signal, until);
            return response;
          },
        } as ConstructorParameters<typeof WebClient>[1]);
        return client.apiCall(method, args);
      });
      usable = true;
      return { ok: true, body: body as unknown as Record<string, unknown> };
    } catch (error) {
      const answer = this.#refused(error, response);
      heeded(this.#gate, answer.problem);
      return answer;
    } finally {
      answered(usable);
    }
  }

  /** As `call`, but a gate that refuses is an answer too: what was already read keeps its worth. */
  async ask(method: string, args: Record<string, unknown>, call: CallOptions): Promise<Answered | Refused> {
    try {
      return await this.call(method, args, call);
    } catch (error) {
      if (error instanceof NotSent) return refused(error.outcome);
      throw error;
    }
  }

  #refused(error: unknown, response: Response | undefined): Refused {
    const { data, code, original } = error as {
      data?: { error?: unknown };
      code?: unknown;
      original?: unknown;
    };
    // The client's own error for a 429 without a readable Retry-After has no code; the answer itself is plain.
    if (response?.status === 429) {
      const retryAfterMs = parseRetryAfter(response.headers.get('retry-after'));
      return refused({ kind: 'throttled', retryAfterMs, reason: '429 from Slack' }, 'ratelimited');
    }
    if (code === 'slack_webapi_platform_error') {
      const name = data?.error;
      // The client reports a body that is not JSON as the error's name.
      if (typeof name !== 'string' || !/^[a-z0-9_.-]{1,100}$/i.test(name)) {
        return refused({ kind: 'ambiguous', reason: 'Slack gave an answer that is not JSON' });
      }
      return refused(judgeError(name, quote(name, [this.#token])), name);
    }
    if (response && response.status !== 200) return refused(judgeStatus(response.status));
    // The client wraps a network error in one with a code of its own.
    const network = classifyNetworkError(original ?? error);
    return refused(network.kind === 'lost' ? { kind: 'ambiguous', reason: network.reason } : network);
  }
}

/** What the client would have `fetch` do. */
async function fetched(request: Request, signal: AbortSignal, until: number | undefined): Promise<Response> {
  const url = new URL(request.url);
  const { method } = request;
  const headers = Object.fromEntries(request.headers);
  const body = (await request.text()) || undefined;
  const sent = { method, headers, body, signal };
  const answer = await beginCall(until, () => exchange(url, url.pathname + url.search, sent));
  return new Response(answer.text, { status: answer.status, headers: answer.headers });
}

function refused(problem: Problem, error?: string): Refused {
  return { ok: false, error, problem };
}

/** Slack itself uses only 200 and 429; anything else comes from what stands in front of it, or from its outages. */
function judgeStatus(status: number): Problem {
  const reason = `HTTP ${status} from Slack`;
  if (status === 401 || status === 403) return { kind: 'unavailable', code: `http_${status}`, reason };
  if (status >= 400 && status < 500 && status !== 408) {
    return rejected(`http_${status}`, reason);
  }
  return { kind: 'ambiguous', reason };
}

/** Accepts `http://host` and `http://host/api`, because both are natural to write. */
function apiUrl(base: string | undefined): string {
  if (base === undefined) return 'https://slack.com/api/';
  const bare = base.replace(/\/+$/, '');
  return bare.endsWith('/api') ? `${bare}/` : `${bare}/api/`;
}

const nothing = () => {};
const silent = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  setLevel: nothing,
  getLevel: () => 'error',
  setName: nothing,
};
