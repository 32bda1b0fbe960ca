import type { Sandbox, SandboxOptions } from '../connector.ts';
import { type SandboxAnswer, type SandboxRequest, SandboxVendor } from '../sandbox.ts';
import { serveSandbox } from '../sandbox-server.ts';

interface Card {
  type?: string;
}

/** A Teams workflow in memory over HTTP, with the channel that it posts to. */
export function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  return serveSandbox(new TeamsSandbox(options.token ?? 'sandbox-teams-signature'), options);
}

class TeamsSandbox extends SandboxVendor {
  #runs = 0;

  limitOf() {
    return { requests: 4, perMs: 1_000 };
  }

  kindOf({ method }: SandboxRequest) {
    return method === 'POST' ? 'write' : 'other';
  }

  override authorised({ query }: SandboxRequest): boolean {
    return query.sig === this.token;
  }

  answer({ method, body }: SandboxRequest): SandboxAnswer {
    if (method !== 'POST') return failure(404, 'NoMatch', 'No trigger takes this method.');
    const text = JSON.stringify(body);
    if (this.faults.take('reject_item', text))
      return failure(
        400,
        'TriggerInputSchemaMismatch',
        'The input body does not match its schema definition.',
      );
    const run = `sandbox-run-${++this.#runs}`;
    if (!this.faults.take('accept_without_write', text)) this.#run(run, body, text);
    return { status: 202, headers: { 'x-ms-workflow-run-id': run } };
  }

  /** What goes wrong in here is in the run's history, and in no answer. */
  #run(run: string, body: Record<string, unknown>, text: string): void {
    const attachments = (body.attachments ?? []) as { contentType?: string; content?: Card }[];
    for (const [n, { contentType, content }] of attachments.entries()) {
      if (contentType !== 'application/vnd.microsoft.card.adaptive' || content?.type !== 'AdaptiveCard')
        continue;
      if (Buffer.byteLength(JSON.stringify(content)) > 28 * 1024) continue;
      const altered = this.faults.take('alter', text) !== undefined;
      const card = this.faults.take('normalise', text) ? { ...content, version: '1.5' } : content;
      this.records.put('messages', `${run}-${n}`, { card: altered ? { ...card, body: [] } : card });
    }
  }

  unauthorized(): SandboxAnswer {
    return failure(401, 'DirectApiAuthorizationRequired', 'The request must be authenticated only by OAuth.');
  }

  throttled(): SandboxAnswer {
    return failure(429, 'WorkflowTriggerThrottled', 'Rate limit is exceeded.');
  }

  broken(): SandboxAnswer {
    return failure(502, 'NoResponse', 'The server did not receive a response from an upstream server.');
  }

  settings(url: string): Record<string, string> {
    const path = '/workflows/sandbox/triggers/manual/paths/invoke';
    return { webhook_url: `${url}${path}?api-version=2016-06-01&sv=1.0&sig=${this.token}` };
  }
}

function failure(status: number, code: string, message: string): SandboxAnswer {
  return { status, body: { error: { code, message } } };
}
