import { parseRetryAfter } from '../calls.ts';
import type { CallOptions, Gate } from '../connector.ts';
import { type Answer, type Problem, type Refusal, type Refused, Rest } from '../rest.ts';
import type { Settings } from './schema.ts';
import type { Status } from './status.ts';

export interface Issue {
  id: string;
  key: string;
  fields: Record<string, unknown>;
  transitions?: { id: string; to?: Status }[];
}

/** Jira Cloud's REST API: the only place that knows its addresses, limits and ways of saying no. */
export class Jira {
  readonly #rest: Rest;

  constructor(settings: Settings, gate: Gate) {
    const login = Buffer.from(`${settings.email}:${settings.api_token.reveal()}`).toString('base64');
    this.#rest = new Rest({
      vendor: 'Jira',
      base: settings.base_url ?? `https://${settings.site}.atlassian.net`,
      authorization: `Basic ${login}`,
      secrets: [settings.api_token.reveal(), login],
      gate,
      problemOf,
    });
  }

  myself(call: CallOptions): Promise<Answer | Refused> {
    return this.#rest.ask('GET', '/rest/api/3/myself', call);
  }

  async createIssue(
    issue: Record<string, unknown>,
    call: CallOptions,
  ): Promise<{ ok: true; id: string } | Refused> {
    const answer = await this.#rest.write('POST', '/rest/api/3/issue', call, issue);
    if (!answer.ok) return answer;
    const { id } = answer.body;
    return typeof id === 'string' && id !== ''
      ? { ok: true, id }
      : this.#rest.unreadable('an answer without an issue id');
  }

  editIssue(id: string, edit: Record<string, unknown>, call: CallOptions): Promise<Answer | Refused> {
    return this.#rest.write('PUT', `/rest/api/3/issue/${encodeURIComponent(id)}`, call, edit);
  }

  transition(id: string, transitionId: string, call: CallOptions): Promise<Answer | Refused> {
    return this.#rest.write('POST', `/rest/api/3/issue/${encodeURIComponent(id)}/transitions`, call, {
      transition: { id: transitionId },
    });
  }

  /** One issue with the transitions that are open to it now. */
  async issueWithTransitions(id: string, call: CallOptions): Promise<{ ok: true; issue: Issue } | Refused> {
    const path = `/rest/api/3/issue/${encodeURIComponent(id)}?fields=status&expand=transitions`;
    const answer = await this.#rest.ask('GET', path, call);
    if (!answer.ok) return answer;
    return isIssue(answer.body)
      ? { ok: true, issue: answer.body }
      : this.#rest.unreadable('an answer without an issue');
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
    const answer = await this.#rest.ask('POST', path, call, body);
    if (!answer.ok) return answer;
    const { issues } = answer.body;
    return Array.isArray(issues) && issues.every(isIssue)
      ? { ok: true, issues }
      : this.#rest.unreadable('an answer without issues');
  }

  addComment(id: string, comment: Record<string, unknown>, call: CallOptions): Promise<Answer | Refused> {
    return this.#rest.write('POST', `/rest/api/3/issue/${encodeURIComponent(id)}/comment`, call, comment);
  }

  /** The newest 100 comments with their properties. */
  async comments(
    id: string,
    call: CallOptions,
  ): Promise<{ ok: true; comments: Comment[]; total: number } | Refused> {
    const path = `/rest/api/3/issue/${encodeURIComponent(id)}/comment?orderBy=-created&maxResults=100&expand=properties`;
    const answer = await this.#rest.ask('GET', path, call);
    if (!answer.ok) return answer;
    const { comments, total } = answer.body;
    return Array.isArray(comments)
      ? { ok: true, comments, total: Number(total ?? comments.length) }
      : this.#rest.unreadable('an answer without comments');
  }
}

/** How Jira says no: `errorMessages`, and `errors` by field. */
function problemOf({ status, headers, json, quote }: Refusal): Problem {
  const reason = quote(`${status} ${describe(json)}`);
  const retryAfter = headers.get('retry-after');
  if (status === 429 || (status === 503 && retryAfter !== null)) {
    const why = headers.get('ratelimit-reason');
    return {
      kind: 'throttled',
      retryAfterMs: parseRetryAfter(retryAfter),
      reason: why ? `${reason} (${quote(why)})` : reason,
    };
  }
  if (status === 401) return { kind: 'unavailable', code: 'http_401', reason };
  if (status === 408 || status >= 500) return { kind: 'ambiguous', reason };
  // 409: somebody else is editing the issue.
  return { kind: 'rejected', code: `http_${status}`, reason, permanent: status !== 409 };
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

function describe(json: Record<string, unknown> | undefined): string {
  const { errorMessages, errors, message } = (json ?? {}) as {
    errorMessages?: string[];
    errors?: Record<string, string>;
    message?: string;
  };
  const complaints = Object.entries(errors ?? {}).map(([field, words]) => `${field}: ${words}`);
  return [...(errorMessages ?? []), ...complaints, ...(message ? [message] : [])].join('; ');
}
