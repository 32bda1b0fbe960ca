import { classifyNetworkError, parseRetryAfter, quote, withDeadline } from '../calls.ts';
import { type CallOptions, type Gate, NotSent, type Outcome } from '../connector.ts';
import type { Settings } from './schema.ts';

/** Why a request did not give an answer to use. */
export type Problem = Exclude<Outcome, { kind: 'applied' | 'already' }>;
export type Refused = { ok: false; gone: boolean; problem: Problem };
export type Answer = { ok: true; body: Record<string, unknown> };

export interface Issue {
  id: string;
  key: string;
  fields: Record<string, unknown>;
  transitions?: { id: string; to?: { name?: string } }[];
}

/** Jira Cloud's REST API: the only place that knows its addresses, limits and ways of saying no. */
export class Jira {
  readonly #base: string;
  readonly #authorization: string;
  readonly #secrets: string[];
  readonly #gate: Gate;

  constructor(settings: Settings, gate: Gate) {
    this.#base = (settings.base_url ?? `https://${settings.site}.atlassian.net`).replace(/\/+$/, '');
    const login = Buffer.from(`${settings.email}:${settings.api_token.reveal()}`).toString('base64');
    this.#authorization = `Basic ${login}`;
    this.#secrets = [settings.api_token.reveal(), login];
    this.#gate = gate;
  }

  myself(call: CallOptions): Promise<Answer | Refused> {
    return this.#ask('GET', '/rest/api/3/myself', call);
  }

  async createIssue(
    issue: Record<string, unknown>,
    call: CallOptions,
  ): Promise<{ ok: true; id: string } | Refused> {
    const answer = await this.#ask('POST', '/rest/api/3/issue', call, issue);
    if (!answer.ok) return answer;
    const { id } = answer.body;
    return typeof id === 'string' && id !== ''
      ? { ok: true, id }
      : unreadable('an answer without an issue id');
  }

  editIssue(id: string, edit: Record<string, unknown>, call: CallOptions): Promise<Answer | Refused> {
    return this.#ask('PUT', `/rest/api/3/issue/${encodeURIComponent(id)}`, call, edit);
  }

  transition(id: string, transitionId: string, call: CallOptions): Promise<Answer | Refused> {
    return this.#ask('POST', `/rest/api/3/issue/${encodeURIComponent(id)}/transitions`, call, {
      transition: { id: transitionId },
    });
  }

  /** One issue with the transitions that are open to it now. */
  async issueWithTransitions(id: string, call: CallOptions): Promise<{ ok: true; issue: Issue } | Refused> {
    const path = `/rest/api/3/issue/${encodeURIComponent(id)}?fields=status&expand=transitions`;
    const answer = await this.#ask('GET', path, call);
    if (!answer.ok) return answer;
    return isIssue(answer.body) ? { ok: true, issue: answer.body } : unreadable('an answer without an issue');
  }

  /** At most 100 issues by id. Those that do not exist, or may not be seen, are not in the answer. */
  issues(
    ids: string[],
    fields: string[],
    call: CallOptions,
  ): Promise<{ ok: true; issues: Issue[] } | Refused> {
    return this.#list('/rest/api/3/issue/bulkfetch', { issueIdsOrKeys: ids, fields }, call);
  }

  /** Issues with a label, oldest first. The index may lag behind; Jira does not say how long. */
  labelled(
    label: string,
    fields: string[],
    call: CallOptions,
  ): Promise<{ ok: true; issues: Issue[] } | Refused> {
    const jql = `labels = "${label}" order by created asc`;
    return this.#list('/rest/api/3/search/jql', { jql, fields, maxResults: 10 }, call);
  }

  async #list(
    path: string,
    body: Record<string, unknown>,
    call: CallOptions,
  ): Promise<{ ok: true; issues: Issue[] } | Refused> {
    const answer = await this.#ask('POST', path, call, body);
    if (!answer.ok) return answer;
    const { issues } = answer.body;
    return Array.isArray(issues) && issues.every(isIssue)
      ? { ok: true, issues }
      : unreadable('an answer without issues');
  }

  addComment(id: string, comment: Record<string, unknown>, call: CallOptions): Promise<Answer | Refused> {
    return this.#ask('POST', `/rest/api/3/issue/${encodeURIComponent(id)}/comment`, call, comment);
  }

  /** The newest 100 comments with their properties. */
  async comments(
    id: string,
    call: CallOptions,
  ): Promise<{ ok: true; comments: Comment[]; total: number } | Refused> {
    const path = `/rest/api/3/issue/${encodeURIComponent(id)}/comment?orderBy=-created&maxResults=100&expand=properties`;
    const answer = await this.#ask('GET', path, call);
    if (!answer.ok) return answer;
    const { comments, total } = answer.body;
    return Array.isArray(comments)
      ? { ok: true, comments, total: Number(total ?? comments.length) }
      : unreadable('an answer without comments');
  }

  async #ask(method: string, path: string, call: CallOptions, body?: unknown): Promise<Answer | Refused> {
    const answered = await this.#gate.pass(call.signal);
    try {
      const { response, text } = await withDeadline(call, async (signal) => {
        const response = await fetch(this.#base + path, {
          method,
          // A redirect would carry the credentials, or turn a POST into a GET.
          redirect: 'error',
          signal,
          headers: {
            authorization: this.#authorization,
            accept: 'application/json',
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        return { response, text: await response.text() };
      });
      const json = parse(text);
      if (!response.ok) return this.#refused(response, json);
      // An edit and a transition are answered with nothing at all.
      if (response.status === 204) return { ok: true, body: {} };
      return json ? { ok: true, body: json } : unreadable('an answer that is not JSON');
    } catch (error) {
      const network = classifyNetworkError(error);
      const problem: Problem =
        network.kind === 'lost' ? { kind: 'ambiguous', reason: network.reason } : network;
      return { ok: false, gone: false, problem };
    } finally {
      answered();
    }
  }

  /** How Jira says no: `errorMessages`, and `errors` by field. */
  #refused(response: Response, json: Record<string, unknown> | undefined): Refused {
    const { status } = response;
    const reason = quote(`${status} ${describe(json)}`.trim(), this.#secrets);
    const retryAfter = response.headers.get('retry-after');
    const no = (problem: Problem): Refused => {
      if (problem.kind === 'throttled' || problem.kind === 'unavailable') this.#gate.heed(problem);
      return { ok: false, gone: status === 404, problem };
    };
    if (status === 429 || (status === 503 && retryAfter !== null)) {
      const why = response.headers.get('ratelimit-reason');
      return no({
        kind: 'throttled',
        retryAfterMs: parseRetryAfter(retryAfter),
        reason: why ? `${reason} (${quote(why, this.#secrets)})` : reason,
      });
    }
    if (status === 401) return no({ kind: 'unavailable', code: 'http_401', reason });
    if (status === 408 || status >= 500) return no({ kind: 'ambiguous', reason });
    // 409: somebody else is editing the issue.
    return no({ kind: 'rejected', code: `http_${status}`, reason, permanent: status !== 409 });
  }
}

/** A gate that refuses in the middle of a piece of work is an answer too: what was done before it stays done. */
export async function asked<T extends object>(ask: () => Promise<T>): Promise<T | Refused> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof NotSent) return { ok: false, gone: false, problem: error.outcome };
    throw error;
  }
}

export interface Comment {
  id: string;
  body?: unknown;
  properties?: { key: string; value?: { key?: string } }[];
}

function isIssue(value: unknown): value is Issue {
  const { id, fields } = (value ?? {}) as Partial<Issue>;
  return typeof id === 'string' && typeof fields === 'object' && fields !== null;
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function describe(json: Record<string, unknown> | undefined): string {
  const { errorMessages, errors, message } = (json ?? {}) as {
    errorMessages?: string[];
    errors?: Record<string, string>;
    message?: string;
  };
  const complaints = Object.entries(errors ?? {}).map(([field, words]) => `${field}: ${words}`);
  return [...(errorMessages ?? []), ...complaints, ...(message ? [message] : [])].join('; ');
}

function unreadable(what: string): Refused {
  return { ok: false, gone: false, problem: { kind: 'ambiguous', reason: `Jira gave ${what}` } };
}
