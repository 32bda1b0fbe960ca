import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { RateLimit } from '../config/model.ts';
import { type Fault, type FaultKind, faultKinds, type Sandbox, type SandboxOptions } from './connector.ts';
import type { SandboxAnswer, SandboxRequest, SandboxVendor } from './sandbox.ts';
import { RollingWindow } from './sandbox-window.ts';

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

    const limit = options.rateLimit === undefined ? vendor.limitOf(request) : options.rateLimit;
    const budget = limit && windowOf(windows, vendor.bucketOf(request), limit).admit(Date.now());
    const headers = budget ? vendor.budgetHeaders(budget) : {};
    const withBudget = (answer: SandboxAnswer) => ({ ...answer, headers: { ...headers, ...answer.headers } });
    const throttled = (seconds?: number) => {
      const answer = withBudget(vendor.throttled(request, seconds));
      if (seconds !== undefined) Object.assign(answer.headers, vendor.retryAfter(seconds, request));
      return answer;
    };

    if (!vendor.authorised(request) || fault('unauthorized')) return withBudget(vendor.unauthorized(request));
    if (budget && !budget.admitted) return throttled(Math.ceil(budget.retryAfterMs / 1000));
    const throttle = fault('throttle');
    if (throttle) return throttled(throttle.retryAfterSeconds ?? 1);
    if (fault('throttle_bare')) return throttled();
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
