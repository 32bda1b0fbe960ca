import type { Sandbox, SandboxOptions } from '../connector.ts';
import { type SandboxAnswer, type SandboxRequest, SandboxVendor } from '../sandbox.ts';
import { serveSandbox } from '../sandbox-server.ts';
import { Workspace } from './sandbox-workspace.ts';

/** Slack in memory over HTTP: channels, threads, metadata, entity escaping and the request limits. */
export function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  return serveSandbox(new SlackSandbox(options.token ?? 'xoxb-sandbox-token'), options);
}

const tier2 = { requests: 20, perMs: 60_000 };
const tier3 = { requests: 50, perMs: 60_000 };
/** About one message a second in a channel, in short bursts. */
const posting = { requests: 5, perMs: 5_000 };

class SlackSandbox extends SandboxVendor {
  readonly #workspace = new Workspace(this.records, this.faults);

  limitOf(request: SandboxRequest) {
    const method = methodOf(request);
    if (method === 'chat.postMessage') return posting;
    return method === 'conversations.list' ? tier2 : tier3;
  }

  override bucketOf(request: SandboxRequest) {
    const method = methodOf(request);
    return method === 'chat.postMessage' ? `${method} ${request.body.channel}` : method;
  }

  kindOf(request: SandboxRequest) {
    const method = methodOf(request);
    if (method.startsWith('chat.')) return 'write';
    return method === 'conversations.history' || method === 'conversations.replies' ? 'read' : 'other';
  }

  answer(request: SandboxRequest): SandboxAnswer {
    const answer = this.#workspace.call(
      methodOf(request),
      { ...request.query, ...request.body },
      request.stale,
    );
    const headers = {
      'x-oauth-scopes':
        'chat:write,channels:history,groups:history,im:history,channels:read,groups:read,im:write,users:read,users:read.email',
    };
    return { status: 200, body: answer, headers };
  }

  unauthorized(): SandboxAnswer {
    return { status: 200, body: { ok: false, error: 'invalid_auth' } };
  }

  throttled(): SandboxAnswer {
    return { status: 429, body: { ok: false, error: 'ratelimited' } };
  }

  broken(): SandboxAnswer {
    return { status: 500, body: { ok: false, error: 'internal_error' } };
  }

  settings(url: string): Record<string, string> {
    return { bot_token: this.token, base_url: url };
  }
}

function methodOf(request: SandboxRequest): string {
  return request.path.replace(/^\/api\//, '');
}
