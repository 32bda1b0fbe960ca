import type { Sandbox, SandboxOptions } from '../connector.ts';
import { Records } from '../records.ts';
import { Faults, type SandboxRequest, type SandboxVendor, serveSandbox } from '../sandbox.ts';
import { Erp } from './sandbox-erp.ts';

/** The ERP of `example.ts` in memory: one resource for each action, each with the habits of its class. */
export function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const token = options.token ?? 'sandbox-erp-token';
  const faults = new Faults();
  const records = new Records();
  const erp = new Erp(records, faults);
  const problem = (text: string) => ({ ok: false, problem: { text } });
  const vendor: SandboxVendor = {
    faults,
    records,
    limitOf: () => ({ bucket: '', limit: { requests: 50, perMs: 1_000 } }),
    kindOf: ({ method, path }: SandboxRequest) =>
      path === '/api/me' ? 'other' : method === 'GET' ? 'read' : 'write',
    authorised: ({ headers }) => headers.authorization === `Bearer ${token}`,
    answer: (request) => erp.answer(request),
    unauthorized: () => ({ status: 401, body: problem('who are you?') }),
    throttled: (seconds) => ({
      status: 429,
      body: problem('too many requests'),
      headers: seconds === undefined ? {} : { 'retry-after': String(seconds) },
    }),
    broken: () => ({ status: 500, body: problem('something went wrong') }),
    settings: (url) => ({ base_url: `${url}/api`, bearer_token: token }),
  };
  return serveSandbox(vendor, options);
}
