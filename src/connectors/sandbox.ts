import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { RateLimit } from '../config/model.ts';
import { type Fault, type FaultKind, faultKinds, type Sandbox, type SandboxOptions } from './connector.ts';
import type { Records } from './records.ts';

/** One request as a vendor's sandbox sees it. */
export interface SandboxRequest {
  method: string;
  path: string;
  query: Record<string, string>;
  /** Header names in lower case. */
  headers: Record<string, string>;
  /** Parsed from JSON or from a form (then all values are text); `{}` when there is none. */
  body: Record<string, unknown>;
  /** What `Fault.match` is looked for in. */
  text(): string;
  /** A `stale_read` hit this request: answer from `Records.before`. */
  stale: boolean;
}

export interface SandboxAnswer {
  status: number;
  /** Sent as JSON, except text, which is sent as plain text; undefined sends no body. */
  body?: unknown;
  headers?: Record<string, string>;
}

/** How full the vendor's window is after this request; `limit` is what is in force. */
export interface Budget {
  limit: RateLimit;
  remaining: number;
  /** When the next request will pass; 0 when one would pass now. */
  retryAfterMs: number;
}

/**
 * What one vendor's sandbox supplies; `serveSandbox` does the rest. The base handles the faults that hit a whole
 * request. The faults that hit one item (`reject_item`, `normalise`, `alter`, `accept_without_write`) are the
 * vendor's to take, with `faults.take(kind, () => JSON.stringify(item))`, where it stores that item.
 */
export interface SandboxVendor {
  faults: Faults;
  records: Records;
  /** The vendor's real request limit, per bucket (`''` when there is only one). */
  limitOf(request: SandboxRequest): { bucket: string; limit: RateLimit };
  /** Whether a request changes, reads or neither; decides which faults it can meet. */
  kindOf(request: SandboxRequest): 'write' | 'read' | 'other';
  authorised(request: SandboxRequest): boolean;
  answer(request: SandboxRequest): SandboxAnswer;
  /** How the vendor says that the credentials are wrong. */
  unauthorized(request: SandboxRequest): SandboxAnswer;
  /** How the vendor says that there are too many requests; undefined: without Retry-After. */
  throttled(retryAfterSeconds: number | undefined, request: SandboxRequest): SandboxAnswer;
  /** The vendor's 5xx. */
  broken(): SandboxAnswer;
  /** Headers of every answer that tell the budget. */
  budgetHeaders?(budget: Budget, request: SandboxRequest): Record<string, string>;
  /** Connection settings that reach the sandbox at this URL. */
  settings(url: string): Record<string, string>;
}

/** Faults waiting for a request to hit, oldest first. */
export class Faults {
  readonly #waiting: { fault: Fault; left: number }[] = [];

  inject(fault: Fault): void {
    this.#waiting.push({ fault, left: fault.times ?? 1 });
  }

  /**
   * Uses up one hit of the oldest fault of this kind whose `match` occurs in the text, which is better not made when
   * nobody looks at it.
   */
  take(kind: FaultKind, text: string | (() => string)): Fault | undefined {
    const occurs = (match: string) => (typeof text === 'string' ? text : text()).includes(match);
    const index = this.#waiting.findIndex(
      ({ fault }) => fault.kind === kind && (fault.match === undefined || occurs(fault.match)),
    );
    const entry = this.#waiting[index];
    if (!entry) return undefined;
    entry.left -= 1;
    if (entry.left <= 0) this.#waiting.splice(index, 1);
    return entry.fault;
  }
}

/** At most `requests` in any window of `perMs`; a refused request does not count. */
export class RollingWindow {
  readonly #limit: RateLimit;
  readonly #admitted: number[] = [];

  constructor(limit: RateLimit) {
    this.#limit = limit;
  }

  admit(now: number): Budget & { admitted: boolean } {
    const { requests, perMs } = this.#limit;
    while ((this.#admitted[0] ?? Number.POSITIVE_INFINITY) <= now - perMs) this.#admitted.shift();
    const admitted = this.#admitted.length < requests;
    if (admitted) this.#admitted.push(now);
    const remaining = requests - this.#admitted.length;
    const retryAfterMs = remaining > 0 ? 0 : (this.#admitted[0] ?? now) + perMs - now;
    return { admitted, limit: this.#limit, remaining, retryAfterMs };
  }
}

const faultSchema = z.strictObject({
  kind: z.enum(faultKinds),
  times: z.int().positive().optional(),
  match: z.string().optional(),
  retryAfterSeconds: z.number().nonnegative().optional(),
  delayMs: z.number().nonnegative().optional(),
});

/** What the server does with a request: answer, or `cut` the connection. */
type Reaction = SandboxAnswer | 'cut' | { html: string };

/**
 * Starts a vendor's sandbox on loopback. Beside the vendor's own paths it answers `POST /_sandbox/faults`,
 * `GET /_sandbox/records` and `GET /_sandbox/requests`, which need no credentials and count against no limit.
 */
export async function serveSandbox(vendor: SandboxVendor, options: SandboxOptions = {}): Promise<Sandbox> {
  const { fastify } = await import('fastify');
  const app = fastify({ bodyLimit: 16 * 1024 * 1024, forceCloseConnections: true });
  const log: { method: string; path: string; status: number; at: number }[] = [];
  const react = reactor(vendor, options);

  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, text, done) => done(null, text));
  app.post('/_sandbox/faults', (request, reply) => {
    const fault = faultSchema.safeParse(parseBody(request));
    if (!fault.success) return reply.code(400).send({ problem: z.prettifyError(fault.error) });
    vendor.faults.inject(fault.data as Fault);
    return reply.code(204).send();
  });
  app.get('/_sandbox/records', () => vendor.records.list());
  app.get('/_sandbox/requests', () => log);
  app.all('/*', async (raw, reply) => {
    const request = readRequest(raw);
    const entry = { method: request.method, path: request.path, status: 0, at: Date.now() };
    log.push(entry);
    const reaction = await react(request);
    if (reaction !== 'cut') entry.status = 'html' in reaction ? 200 : reaction.status;
    return send(reaction, raw, reply);
  });

  const url = await app.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  return {
    url,
    settings: vendor.settings(url),
    inject: (fault) => vendor.faults.inject(fault),
    records: () => vendor.records.list(),
    requests: () => log.map((entry) => ({ ...entry })),
    close: () => app.close(),
  };
}

/** The order in which a request meets limits, faults and the vendor. */
function reactor(vendor: SandboxVendor, options: SandboxOptions) {
  const windows = new Map<string, RollingWindow>();
  return async (request: SandboxRequest): Promise<Reaction> => {
    const kind = vendor.kindOf(request);
    const fault = (name: FaultKind) => vendor.faults.take(name, request.text);
    const slow = fault('slow');
    if (slow) await sleep(slow.delayMs ?? 1000);

    const { bucket, limit: own } = vendor.limitOf(request);
    const limit = options.rateLimit === undefined ? own : options.rateLimit;
    const budget = limit && windowOf(windows, bucket, limit).admit(Date.now());
    const headers = budget ? vendor.budgetHeaders?.(budget, request) : undefined;
    const withBudget = (answer: SandboxAnswer) => ({ ...answer, headers: { ...headers, ...answer.headers } });

    if (!vendor.authorised(request) || fault('unauthorized')) return withBudget(vendor.unauthorized(request));
    if (budget && !budget.admitted) {
      return withBudget(vendor.throttled(Math.ceil(budget.retryAfterMs / 1000), request));
    }
    const throttle = fault('throttle');
    if (throttle) return withBudget(vendor.throttled(throttle.retryAfterSeconds ?? 1, request));
    if (fault('throttle_bare')) return withBudget(vendor.throttled(undefined, request));
    if (fault('garbage')) return { html: '<!doctype html><title>Please log in</title>' };
    if (kind === 'read' && fault('read_error')) return withBudget(vendor.broken());
    if (kind === 'write' && fault('error_before_write')) return withBudget(vendor.broken());
    if (kind === 'write' && fault('cut_before_write')) return 'cut';
    if (kind === 'read' && fault('stale_read')) request.stale = true;

    const answer = vendor.answer(request);
    if (kind === 'write' && fault('error_after_write')) return withBudget(vendor.broken());
    if (kind === 'write' && fault('cut_after_write')) return 'cut';
    return withBudget(answer);
  };
}

function windowOf(windows: Map<string, RollingWindow>, bucket: string, limit: RateLimit): RollingWindow {
  const window = windows.get(bucket) ?? new RollingWindow(limit);
  windows.set(bucket, window);
  return window;
}

/** Destroys the connection with a reset, as a dying proxy does; otherwise sends the answer. */
function send(reaction: Reaction, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (reaction === 'cut') {
    reply.hijack();
    request.raw.socket.resetAndDestroy();
    return reply;
  }
  if ('html' in reaction) return reply.code(200).type('text/html').send(reaction.html);
  reply.code(reaction.status).headers(reaction.headers ?? {});
  if (reaction.body === undefined) return reply.send();
  if (typeof reaction.body === 'string') return reply.type('text/plain; charset=utf-8').send(reaction.body);
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(reaction.body));
}

function readRequest(request: FastifyRequest): SandboxRequest {
  const url = new URL(request.raw.url ?? '/', 'http://sandbox');
  const body = parseBody(request);
  return {
    method: request.method,
    path: decodeURIComponent(url.pathname),
    query: Object.fromEntries(url.searchParams),
    headers: Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value ?? '')]),
    ),
    body,
    text: () => `${request.method} ${url.pathname}${url.search}\n${JSON.stringify(body)}`,
    stale: false,
  };
}

/** JSON or form; anything unreadable counts as an empty body. */
function parseBody(request: FastifyRequest): Record<string, unknown> {
  const text = typeof request.body === 'string' ? request.body : '';
  if (request.headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
    return Object.fromEntries(new URLSearchParams(text));
  }
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
