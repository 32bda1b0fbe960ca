import type { Sandbox, SandboxOptions } from '../connector.ts';
import { type SandboxAnswer, type SandboxRequest, SandboxVendor } from '../sandbox.ts';
import { serveSandbox } from '../sandbox-server.ts';
import type { Budget } from '../sandbox-window.ts';
import { failure, notFound, People } from './sandbox-people.ts';

/** Intercom in memory over HTTP: contacts with custom attributes, tags, notes, the search and the request limit. */
export function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  return serveSandbox(new IntercomSandbox(options.token ?? 'sandbox-intercom-token'), options);
}

class IntercomSandbox extends SandboxVendor {
  readonly #people = new People(this.records, this.faults);

  limitOf() {
    return { requests: 166, perMs: 10_000 };
  }

  kindOf({ method, path }: SandboxRequest) {
    if (!path.startsWith('/contacts')) return 'other';
    return method === 'GET' || path === '/contacts/search' ? 'read' : 'write';
  }

  answer(request: SandboxRequest): SandboxAnswer {
    const { method, path, body, stale } = request;
    const people = this.#people;
    if (path === '/me') return { status: 200, body: { type: 'admin', id: '1', app: { id_code: 'sandbox' } } };
    if (path === '/data_attributes') return people.attributes();
    if (path === '/tags' && method === 'POST') return people.tagNamed(String(body.name));
    if (path === '/contacts' && method === 'POST') return people.create(body);
    if (path === '/contacts/search') return people.search(body, stale);
    const [, externalId] = /^\/contacts\/find_by_external_id\/(.+)$/.exec(path) ?? [];
    if (externalId !== undefined) return people.byExternalId(externalId, stale);
    return this.#onContact(request);
  }

  #onContact({ method, path, query, body, stale }: SandboxRequest): SandboxAnswer {
    const [, id = '', part, tagId = ''] =
      /^\/contacts\/(\w+)(?:\/(tags|notes)(?:\/(\w+))?)?$/.exec(path) ?? [];
    const people = this.#people;
    if (id === '') return notFound;
    if (part === 'tags' && method === 'POST') return people.setTag(id, String(body.id), true);
    if (part === 'tags' && method === 'DELETE') return people.setTag(id, tagId, false);
    if (part === 'tags') return people.tagsOf(id, stale);
    if (part === 'notes' && method === 'POST') return people.addNote(id, body);
    if (part === 'notes') return people.notes(id, Number(query.page ?? 1), stale);
    return method === 'PUT' ? people.update(id, body) : people.contact(id, stale);
  }

  unauthorized(): SandboxAnswer {
    return failure(401, 'unauthorized', 'Access Token Invalid');
  }

  /** `Retry-After` is not Intercom's own but what a proxy before it adds; the header of the window is. */
  throttled(_request: SandboxRequest, retryAfterSeconds = 10): SandboxAnswer {
    const reset = Math.ceil(Date.now() / 1000) + retryAfterSeconds;
    return {
      ...failure(429, 'rate_limit_exceeded', 'Exceeded rate limit of 166 in 10_seconds'),
      headers: { 'x-ratelimit-reset': String(reset) },
    };
  }

  broken(): SandboxAnswer {
    return failure(500, 'server_error', 'Server error');
  }

  override budgetHeaders({ limit, remaining, retryAfterMs }: Budget): Record<string, string> {
    return {
      'x-ratelimit-limit': String(limit.requests),
      'x-ratelimit-remaining': String(Math.max(0, remaining)),
      'x-ratelimit-reset': String(Math.ceil((Date.now() + retryAfterMs) / 1000)),
    };
  }

  settings(url: string): Record<string, string> {
    return { access_token: this.token, base_url: url };
  }
}
