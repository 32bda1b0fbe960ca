import { Webhook } from 'standardwebhooks';
import type { FaultKind, Sandbox, SandboxOptions, SandboxRecord } from '../connector.ts';
import { type SandboxAnswer, type SandboxRequest, SandboxVendor } from '../sandbox.ts';
import { serveSandbox } from '../sandbox-server.ts';

/** A receiver in memory over HTTP: it knows signatures, drops repeats, and tells what it holds. */
export function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  return serveSandbox(new WebhookSandbox(options.token ?? 'sandbox-webhook-secret'), options);
}

class WebhookSandbox extends SandboxVendor {
  readonly #webhook = this.token.startsWith('whsec_')
    ? new Webhook(this.token)
    : new Webhook(Buffer.from(this.token), { format: 'raw' });

  limitOf() {
    return { requests: 100, perMs: 1_000 };
  }

  kindOf({ method }: SandboxRequest) {
    return method === 'POST' ? 'write' : 'read';
  }

  override authorised(request: SandboxRequest): boolean {
    if (request.method !== 'POST') return super.authorised(request);
    try {
      this.#webhook.verify(JSON.stringify(request.body), request.headers);
      return true;
    } catch {
      return false;
    }
  }

  answer({ method, path, body, headers, stale }: SandboxRequest): SandboxAnswer {
    if (method === 'POST') return this.#take(headers['webhook-id'] ?? '', body);
    const id = path.replace('/events/', '');
    const record = stale ? this.records.before('events', id) : this.records.get('events', id);
    return record
      ? { status: 200, body: eventOf(record) }
      : { status: 404, body: { error: 'no such event' } };
  }

  #take(id: string, body: Record<string, unknown>): SandboxAnswer {
    const { type, timestamp, data } = body as {
      type: string;
      timestamp: string;
      data: Record<string, string>;
    };
    const fault = (kind: FaultKind) => this.faults.take(kind, `${id} ${JSON.stringify(body)}`);
    // What it does not know the type of is dropped with a yes, and so is a repeat.
    if (type === 'readback.ping' || this.records.get('events', id)) return { status: 204 };
    if ('unknown_field' in data) return { status: 422, body: { error: 'unknown_field is not known here' } };
    if (fault('reject_item')) return { status: 422, body: { error: 'not acceptable' } };
    if (fault('accept_without_write')) return { status: 202 };
    const change = fault('alter')
      ? (text: string) => `${text} or so`
      : fault('normalise')
        ? (text: string) => ` ${text}\r\n`
        : (text: string) => text;
    const held = Object.entries(data).map(([name, text]) => [name, change(text)]);
    this.records.put('events', id, { type, timestamp, ...Object.fromEntries(held) });
    return { status: 202 };
  }

  unauthorized(): SandboxAnswer {
    return { status: 401, body: { error: 'the signature does not match' } };
  }

  throttled(): SandboxAnswer {
    return { status: 429, body: { error: 'too many events' } };
  }

  broken(): SandboxAnswer {
    return { status: 502, body: { error: 'bad gateway' } };
  }

  settings(url: string): Record<string, string> {
    const secrets = { secret: this.token, read_token: this.token };
    return { url: `${url}/hooks`, read_url: `${url}/events/{id}`, ...secrets };
  }
}

function eventOf({ fields: { type, timestamp, ...data } }: SandboxRecord) {
  return { type, timestamp, data };
}
