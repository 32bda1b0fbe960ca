import type { Sandbox, SandboxOptions } from '../connector.ts';
import { type SandboxAnswer, type SandboxRequest, SandboxVendor } from '../sandbox.ts';
import { serveSandbox } from '../sandbox-server.ts';
import { Tracker } from './sandbox-issues.ts';

const email = 'agent@sandbox.example';

/** Jira Cloud in memory over HTTP: issues with a workflow, comments with properties, search and the burst limit. */
export function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  return serveSandbox(new JiraSandbox(options.token ?? 'sandbox-jira-token'), options);
}

class JiraSandbox extends SandboxVendor {
  readonly #tracker = new Tracker(this.records, this.faults);

  limitOf() {
    return { requests: 10, perMs: 1_000 };
  }

  kindOf({ method, path }: SandboxRequest) {
    if (!path.startsWith('/rest/api/3/issue') && path !== '/rest/api/3/search/jql') return 'other';
    const asks = method === 'GET' || path.endsWith('/bulkfetch') || path.endsWith('/search/jql');
    return asks ? 'read' : 'write';
  }

  override authorised({ headers }: SandboxRequest): boolean {
    return headers.authorization === `Basic ${Buffer.from(`${email}:${this.token}`).toString('base64')}`;
  }

  answer(request: SandboxRequest): SandboxAnswer {
    const { method, path, body, stale } = request;
    if (path === '/rest/api/3/myself')
      return { status: 200, body: { accountId: 'agent', emailAddress: email } };
    if (path === '/rest/api/3/issue' && method === 'POST') return this.#tracker.create(body);
    if (path === '/rest/api/3/issue/bulkfetch') return this.#tracker.fetch(body, stale);
    if (path === '/rest/api/3/search/jql') return this.#tracker.search(body, stale);
    const [, id = '', rest] = /^\/rest\/api\/3\/issue\/([^/]+)(\/\w+)?$/.exec(path) ?? [];
    if (rest === '/comment') {
      return method === 'GET' ? this.#tracker.comments(id, stale) : this.#tracker.comment(id, body);
    }
    if (rest === '/transitions' && method === 'POST') return this.#tracker.transition(id, body);
    if (!rest && method === 'GET') return this.#tracker.show(id);
    if (!rest && method === 'PUT') return this.#tracker.edit(id, body);
    return { status: 404, body: { errorMessages: ['No such resource'], errors: {} } };
  }

  unauthorized(): SandboxAnswer {
    return {
      status: 401,
      body: { errorMessages: ['Client must be authenticated to access this resource.'], errors: {} },
    };
  }

  throttled(): SandboxAnswer {
    return {
      status: 429,
      body: { errorMessages: ['Rate limit exceeded.'], errors: {} },
      headers: { 'ratelimit-reason': 'jira-burst-based' },
    };
  }

  broken(): SandboxAnswer {
    return { status: 500, body: { errorMessages: ['Internal server error'], errors: {} } };
  }

  settings(url: string): Record<string, string> {
    return { site: 'sandbox', email, api_token: this.token, base_url: url };
  }
}
