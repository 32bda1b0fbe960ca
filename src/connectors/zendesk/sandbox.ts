import type { Sandbox, SandboxOptions } from '../connector.ts';
import { type SandboxAnswer, type SandboxRequest, SandboxVendor } from '../sandbox.ts';
import { serveSandbox } from '../sandbox-server.ts';
import type { Budget } from '../sandbox-window.ts';
import { Jobs } from './sandbox-jobs.ts';
import { Profiles } from './sandbox-profiles.ts';
import { Helpdesk } from './sandbox-tickets.ts';

const email = 'agent@sandbox.example';

/** Zendesk in memory over HTTP: tickets, audits, users, organisations, jobs, the idempotency cache and the request limit. */
export function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  return serveSandbox(new ZendeskSandbox(options.token ?? 'sandbox-zendesk-token'), options);
}

class ZendeskSandbox extends SandboxVendor {
  readonly #helpdesk = new Helpdesk(this.records, this.faults);
  readonly #jobs = new Jobs();
  readonly #profiles = new Profiles(this.records, this.faults);

  /** The limit of the smallest plan; it is one for the whole account. */
  limitOf() {
    return { requests: 200, perMs: 60_000 };
  }

  kindOf(request: SandboxRequest) {
    if (!/^\/api\/v2\/(tickets|users\/(?!me)|organizations)/.test(request.path)) return 'other';
    return request.method === 'GET' ? 'read' : 'write';
  }

  override authorised(request: SandboxRequest): boolean {
    const login = Buffer.from(`${email}/token:${this.token}`).toString('base64');
    return request.headers.authorization === `Basic ${login}`;
  }

  answer(request: SandboxRequest): SandboxAnswer {
    const { method, query } = request;
    const path = request.path.replace(/\.json$/, '');
    if (path === '/api/v2/users/me') return { status: 200, body: { user: { id: 1, email, role: 'admin' } } };
    if (path === '/api/v2/tickets' && method === 'POST') return this.#helpdesk.create(request);
    if (path === '/api/v2/tickets' && query.external_id !== undefined) {
      return this.#helpdesk.byExternalId(query.external_id, request.stale);
    }
    if (path === '/api/v2/tickets/show_many') {
      return this.#helpdesk.showMany((query.ids ?? '').split(','), request.stale);
    }
    if (path === '/api/v2/tickets/update_many' && method === 'PUT')
      return this.#jobs.begin(this.#helpdesk.updateMany(request));
    const profiles = this.#answerProfiles(path, request);
    if (profiles) return profiles;
    const [, ticketId, rest] = /^\/api\/v2\/tickets\/(\d+)(\/audits)?$/.exec(path) ?? [];
    if (ticketId && rest) return this.#helpdesk.audits(ticketId, Number(query.page ?? 1), request.stale);
    if (ticketId && method === 'PUT') return this.#helpdesk.update(ticketId, request);
    if (ticketId) return this.#helpdesk.show(ticketId, request.stale);
    return { status: 404, body: { error: 'InvalidEndpoint', description: 'Not found' } };
  }

  #answerProfiles(path: string, request: SandboxRequest): SandboxAnswer | undefined {
    const jobId = /^\/api\/v2\/job_statuses\/([\w-]+)$/.exec(path)?.[1];
    if (jobId) return this.#jobs.show(jobId);
    const [, type, verb] = /^\/api\/v2\/(user|organization)s\/(\w+)$/.exec(path) ?? [];
    if (type !== 'user' && type !== 'organization') return undefined;
    const posted = request.method === 'POST';
    if (posted && verb === 'create_or_update') return this.#profiles.createOrUpdate(type, request);
    if (verb === 'show_many') return this.#profiles.showMany(type, request);
    if (type !== 'user') return undefined;
    if (posted && verb === 'create_or_update_many') {
      const done = this.#profiles.createOrUpdateMany(request);
      return Array.isArray(done) ? this.#jobs.begin(done) : done;
    }
    return verb === 'search' ? this.#profiles.search(request) : undefined;
  }

  unauthorized(): SandboxAnswer {
    return { status: 401, body: { error: "Couldn't authenticate you" } };
  }

  /** Plain text, as recorded from the real API. */
  throttled(): SandboxAnswer {
    return { status: 429, body: 'Number of allowed API requests per minute exceeded' };
  }

  broken(): SandboxAnswer {
    return { status: 500, body: { error: 'InternalError', description: 'Something went wrong' } };
  }

  override budgetHeaders(budget: Budget): Record<string, string> {
    const limit = String(budget.limit.requests);
    const remaining = String(Math.max(0, budget.remaining));
    return {
      'x-rate-limit': limit,
      'x-rate-limit-remaining': remaining,
      'ratelimit-limit': limit,
      'ratelimit-remaining': remaining,
      'ratelimit-reset': String(Math.ceil(budget.retryAfterMs / 1000)),
    };
  }

  settings(url: string): Record<string, string> {
    return { subdomain: 'sandbox', email, api_token: this.token, base_url: url };
  }
}
