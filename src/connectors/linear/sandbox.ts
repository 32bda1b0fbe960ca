import type { Sandbox, SandboxOptions } from '../connector.ts';
import { type SandboxAnswer, type SandboxRequest, SandboxVendor } from '../sandbox.ts';
import { serveSandbox } from '../sandbox-server.ts';
import type { Budget } from '../sandbox-window.ts';
import { failure, Workspace } from './sandbox-workspace.ts';

/** Linear in memory over HTTP: the operations that the connector uses, known by their names, and the request limit. */
export function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  return serveSandbox(new LinearSandbox(options.token ?? 'sandbox-linear-key'), options);
}

class LinearSandbox extends SandboxVendor {
  readonly #workspace = new Workspace(this.records, this.faults);

  limitOf() {
    return { requests: 2_500, perMs: 60 * 60_000 };
  }

  kindOf({ body }: SandboxRequest) {
    const query = String(body.query);
    if (query.startsWith('mutation')) return 'write';
    return /^query (Issues|Comments)\b/.test(query) ? 'read' : 'other';
  }

  override authorised({ headers }: SandboxRequest): boolean {
    return headers.authorization === this.token;
  }

  answer({ body, stale }: SandboxRequest): SandboxAnswer {
    const { operationName, variables } = body as { operationName?: string; variables?: never };
    const {
      id = '',
      ids = [],
      input = {} as never,
    } = (variables ?? {}) as { id?: string; ids?: string[]; input?: never };
    const workspace = this.#workspace;
    const operations: Record<string, () => object> = {
      Viewer: () => ({ viewer: { id: 'agent' } }),
      Names: () => workspace.names(variables ?? {}),
      CreateIssues: () => workspace.createIssues((input as { issues: never }).issues),
      UpdateIssue: () => workspace.updateIssue(id, input),
      Cancellation: () => workspace.cancellation(ids),
      CreateComment: () => workspace.createComment(input),
      Issues: () => workspace.issues(ids, stale),
      Comments: () => workspace.comments(ids, stale),
    };
    const known = operations[operationName ?? ''];
    if (!known) return failure('Cannot query field', 'GRAPHQL_VALIDATION_FAILED', 'No such operation.', 400);
    const result = known();
    return 'status' in result ? (result as SandboxAnswer) : { status: 200, body: { data: result } };
  }

  unauthorized(): SandboxAnswer {
    const words = 'You need to authenticate to access this operation.';
    return failure('Authentication required, not authenticated', 'AUTHENTICATION_ERROR', words, 401);
  }

  /** Not a 429. `Retry-After` is not Linear's own but what a proxy before it adds; the headers of the bucket are. */
  throttled(): SandboxAnswer {
    return {
      ...failure('Rate limit exceeded', 'RATELIMITED', 'Rate limit exceeded.', 400),
      headers: {
        'x-ratelimit-requests-remaining': '0',
        'x-ratelimit-requests-reset': String(Date.now() + 30 * 60_000),
      },
    };
  }

  broken(): SandboxAnswer {
    return failure('Internal server error', 'INTERNAL_SERVER_ERROR', 'Something went wrong.', 500);
  }

  override budgetHeaders({ limit, remaining, retryAfterMs }: Budget): Record<string, string> {
    return {
      'x-complexity': '2',
      'x-ratelimit-requests-limit': String(limit.requests),
      'x-ratelimit-requests-remaining': String(Math.max(0, remaining)),
      'x-ratelimit-requests-reset': String(Date.now() + retryAfterMs),
    };
  }

  settings(url: string): Record<string, string> {
    return { api_key: this.token, base_url: url };
  }
}
