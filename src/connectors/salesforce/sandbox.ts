import { randomUUID } from 'node:crypto';
import type { Sandbox, SandboxOptions } from '../connector.ts';
import { type SandboxAnswer, type SandboxRequest, SandboxVendor } from '../sandbox.ts';
import { serveSandbox } from '../sandbox-server.ts';
import type { Budget } from '../sandbox-window.ts';
import { fault, Org } from './sandbox-records.ts';
import { query } from './sandbox-soql.ts';

const clientId = 'sandbox-consumer-key';
const data = /^\/services\/data\/v\d+\.0(\/.*)$/;

/** Salesforce in memory over HTTP: the login, collections, SOQL to find records, describe and the day's limit. */
export function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  return serveSandbox(new SalesforceSandbox(options.token ?? 'sandbox-consumer-secret'), options);
}

class SalesforceSandbox extends SandboxVendor {
  readonly #org = new Org(this.records, this.faults);
  /** The live session; a login while it lives gives the same again. */
  #session: string | undefined;

  /** Of a Developer Edition, as recorded. */
  limitOf() {
    return { requests: 15_000, perMs: 24 * 60 * 60_000 };
  }

  kindOf({ method, path }: SandboxRequest) {
    if (!data.test(path)) return 'other';
    return method === 'GET' ? 'read' : 'write';
  }

  override authorised({ path, headers, body }: SandboxRequest): boolean {
    if (path.endsWith('/oauth2/revoke')) return body.token === this.#session;
    if (path.endsWith('/oauth2/token')) return true;
    return this.#session !== undefined && headers.authorization === `Bearer ${this.#session}`;
  }

  answer(request: SandboxRequest): SandboxAnswer {
    const { method, path, body, query: asked, stale } = request;
    if (path === '/services/oauth2/token') return this.#logIn(request);
    if (path === '/services/oauth2/revoke') {
      this.#session = undefined;
      return { status: 200 };
    }
    const rest = data.exec(path)?.[1] ?? '';
    const work = `${method} ${rest}`;
    if (work === 'GET /query') return query(this.#org, this.records, asked.q ?? '', stale);
    if (work === 'POST /composite/sobjects') return this.#org.create(body);
    if (work === 'PATCH /composite/sobjects') return this.#org.update(body);
    if (work === 'DELETE /composite/sobjects') return this.#org.delete((asked.ids ?? '').split(','));
    const [, object, field] = /^PATCH \/composite\/sobjects\/(\w+)\/(\w+)$/.exec(work) ?? [];
    if (object !== undefined && field !== undefined) return this.#org.upsert(object, field, body);
    const [, described] = /^GET \/sobjects\/(\w+)\/describe$/.exec(work) ?? [];
    if (described !== undefined) return this.#org.describe(described);
    return fault(404, 'NOT_FOUND', 'The requested resource does not exist');
  }

  #logIn({ headers, body }: SandboxRequest): SandboxAnswer {
    const login = Buffer.from(`${clientId}:${this.token}`).toString('base64');
    const refused = (error: string, error_description: string) => ({
      status: 400,
      body: { error, error_description },
    });
    if (body.grant_type !== 'client_credentials')
      return refused('unsupported_grant_type', 'grant type not supported');
    if (headers.authorization !== `Basic ${login}`)
      return refused('invalid_client', 'invalid client credentials');
    this.#session ??= `00D5-${randomUUID()}`;
    const issued_at = String(Date.now());
    return { status: 200, body: { access_token: this.#session, token_type: 'Bearer', issued_at } };
  }

  /** Of a session that lives, it is the app or the address that is not wanted, which a new one does not mend. */
  unauthorized(request: SandboxRequest): SandboxAnswer {
    const reason = this.authorised(request)
      ? 'This session is not valid for use with the REST API'
      : 'Session expired or invalid';
    return fault(401, 'INVALID_SESSION_ID', reason);
  }

  /** Salesforce itself never sends Retry-After here; a gateway in front of it may. */
  throttled(): SandboxAnswer {
    return fault(403, 'REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.');
  }

  broken(): SandboxAnswer {
    return fault(500, 'UNKNOWN_EXCEPTION', 'An unexpected error occurred.');
  }

  override budgetHeaders({ limit, remaining }: Budget): Record<string, string> {
    return { 'sforce-limit-info': `api-usage=${limit.requests - remaining}/${limit.requests}` };
  }

  settings(url: string): Record<string, string> {
    return { instance_url: url, client_id: clientId, client_secret: this.token };
  }
}
