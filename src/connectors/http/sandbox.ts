import type { Sandbox, SandboxOptions } from '../connector.ts';
import { type SandboxAnswer, type SandboxRequest, SandboxVendor } from '../sandbox.ts';
import { serveSandbox } from '../sandbox-server.ts';
import { Erp } from './sandbox-erp.ts';

/** The ERP of `example.ts` in memory: one resource for each action, each with the habits of its class. */
export function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  return serveSandbox(new ErpSandbox(options.token ?? 'sandbox-erp-token'), options);
}

class ErpSandbox extends SandboxVendor {
  readonly #erp = new Erp(this.records, this.faults);

  limitOf() {
    return { requests: 50, perMs: 1_000 };
  }

  kindOf({ method, path }: SandboxRequest) {
    if (path === '/api/me') return 'other';
    return method === 'GET' ? 'read' : 'write';
  }

  answer(request: SandboxRequest): SandboxAnswer {
    return this.#erp.answer(request);
  }

  unauthorized(): SandboxAnswer {
    return problem(401, 'who are you?');
  }

  throttled(): SandboxAnswer {
    return problem(429, 'too many requests');
  }

  broken(): SandboxAnswer {
    return problem(500, 'something went wrong');
  }

  settings(url: string): Record<string, string> {
    return { base_url: `${url}/api`, bearer_token: this.token };
  }
}

function problem(status: number, text: string): SandboxAnswer {
  return { status, body: { ok: false, problem: { text } } };
}
