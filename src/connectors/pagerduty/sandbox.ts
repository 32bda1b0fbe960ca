import type { Sandbox, SandboxOptions } from '../connector.ts';
import { type SandboxAnswer, type SandboxRequest, SandboxVendor } from '../sandbox.ts';
import { serveSandbox } from '../sandbox-server.ts';
import { invalid, Service } from './sandbox-alerts.ts';

/** PagerDuty in memory over HTTP: the Events API, the part of the REST API that shows its alerts, and both limits. */
export function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  return serveSandbox(new PagerDutySandbox(options.token ?? 'sandbox-pagerduty-key'), options);
}

/** Its token is both the integration key and the REST API key. */
class PagerDutySandbox extends SandboxVendor {
  readonly #service = new Service(this.records, this.faults);

  limitOf(request: SandboxRequest) {
    return { requests: isEvent(request) ? 120 : 960, perMs: 60_000 };
  }

  override bucketOf(request: SandboxRequest) {
    return isEvent(request) ? 'events' : 'rest';
  }

  kindOf(request: SandboxRequest) {
    return isEvent(request) ? 'write' : 'read';
  }

  override authorised(request: SandboxRequest): boolean {
    return isEvent(request)
      ? request.body.routing_key === this.token
      : request.headers.authorization === `Token token=${this.token}`;
  }

  answer(request: SandboxRequest): SandboxAnswer {
    const { method, path, query, body, stale } = request;
    if (isEvent(request) && method === 'POST') return this.#service.take(body);
    if (path === '/incidents') return this.#service.incidents(query.incident_key, stale);
    const [, id] = /^\/incidents\/(\w+)\/alerts$/.exec(path) ?? [];
    if (id) return this.#service.alerts(id, stale);
    return { status: 404, body: { error: { message: 'Not Found', code: 2100 } } };
  }

  /** The Events API has no 401: a key it does not know is a bad event. */
  unauthorized(request: SandboxRequest): SandboxAnswer {
    return isEvent(request)
      ? invalid(['Invalid routing key'])
      : { status: 401, body: { error: { message: 'Authentication required', code: 2006 } } };
  }

  throttled(request: SandboxRequest): SandboxAnswer {
    const body = isEvent(request)
      ? 'Request Limit Exceeded'
      : { error: { message: 'Rate Limit Exceeded', code: 2020 } };
    return { status: 429, body };
  }

  /** Only the REST API tells when to come back, and not in Retry-After. */
  override retryAfter(seconds: number, request: SandboxRequest) {
    return isEvent(request) ? super.retryAfter(seconds, request) : { 'ratelimit-reset': String(seconds) };
  }

  broken(): SandboxAnswer {
    return { status: 500, body: { error: { message: 'Internal Server Error', code: 2000 } } };
  }

  settings(url: string): Record<string, string> {
    return { routing_key: this.token, api_token: this.token, base_url: url };
  }
}

function isEvent({ path }: SandboxRequest): boolean {
  return path === '/v2/enqueue';
}
