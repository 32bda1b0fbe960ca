import type { SandboxRecord } from '../connector.ts';
import { type SandboxAnswer, SandboxPart } from '../sandbox.ts';
import { type DocumentNode, toDocument, toText } from './document.ts';

type Body = Record<string, unknown>;
type IssueFields = Record<string, unknown> & {
  summary?: string;
  labels?: string[];
  description?: DocumentNode;
};

/** Every project's workflow: each status can be reached from each other one. */
const statuses = Object.entries({ 'To Do': 'new', 'In Progress': 'indeterminate', Done: 'done' }).map(
  ([name, key]) => ({ name, statusCategory: { key } }),
);
const issueTypes = ['Task', 'Bug', 'Story', 'Epic'];
const priorities = ['Highest', 'High', 'Medium', 'Low', 'Lowest'];

/** What the sandbox does with issues: the state behind the HTTP paths. */
export class Tracker extends SandboxPart {
  #lastId = 10_000;

  create(body: Body): SandboxAnswer {
    const text = JSON.stringify(body);
    const fields = (body.fields ?? {}) as IssueFields;
    const refused = refusal(fields, true) ?? this.#rejected(text);
    if (refused) return refused;
    const id = String(++this.#lastId);
    const key = `${(fields.project as { key: string }).key.toUpperCase()}-${this.#lastId - 10_000}`;
    if (!this.faults.take('accept_without_write', text)) {
      const issue = { ...this.#taken(fields, text), key, status: statuses[0] };
      this.records.put('issues', id, issue);
      for (const label of fields.labels ?? [])
        this.records.put('labels', `${label}/${id}`, { label, issue: id });
    }
    return { status: 201, body: { id, key, self: `/rest/api/3/issue/${id}` } };
  }

  edit(id: string, body: Body): SandboxAnswer {
    const text = JSON.stringify(body);
    const fields = (body.fields ?? {}) as IssueFields;
    const issue = this.records.get('issues', id);
    if (!issue) return notFound;
    const refused = refusal(fields, false) ?? this.#rejected(text);
    if (refused) return refused;
    const { labels = [] } = issue.fields as IssueFields;
    const added = ((body.update ?? {}) as { labels?: { add: string }[] }).labels?.map(({ add }) => add);
    const taken = this.#taken(
      { ...fields, ...(added && { labels: [...new Set([...labels, ...added])] }) },
      text,
    );
    if (!this.faults.take('accept_without_write', text)) this.records.put('issues', id, taken);
    return { status: 204 };
  }

  transition(id: string, body: Body): SandboxAnswer {
    const issue = this.records.get('issues', id);
    if (!issue) return notFound;
    const wanted = openTransitions(issue).find(
      (one) => one.id === String((body.transition as { id?: string } | undefined)?.id),
    );
    if (!wanted) {
      const message = 'It seems that you have tried to perform a workflow operation that is not valid.';
      return { status: 400, body: { errorMessages: [message], errors: {} } };
    }
    const text = JSON.stringify(issue);
    const refused = this.#rejected(text);
    if (refused) return refused;
    const to = this.faults.take('alter', text) ? statuses[1] : wanted.to;
    if (!this.faults.take('accept_without_write', text)) this.records.put('issues', id, { status: to });
    return { status: 204 };
  }

  show(id: string): SandboxAnswer {
    const issue = this.records.get('issues', id);
    if (!issue) return notFound;
    return { status: 200, body: { ...shown(issue), transitions: openTransitions(issue) } };
  }

  fetch(body: Body, stale: boolean): SandboxAnswer {
    const ids = (body.issueIdsOrKeys ?? []) as string[];
    if (ids.length === 0 || ids.length > 100)
      return { status: 400, body: { errorMessages: ['Between 1 and 100 issues.'], errors: {} } };
    const issues = ids.flatMap((id) => this.#issue(id, stale) ?? []).map(shown);
    return { status: 200, body: { issues, issueErrors: [] } };
  }

  /** The one form of JQL that the connector uses; the newest issue is not in the index yet when the read is stale. */
  search(body: Body, stale: boolean): SandboxAnswer {
    const [, label] = /^labels = "([^"]+)" order by created asc$/.exec(String(body.jql)) ?? [];
    if (label === undefined)
      return { status: 400, body: { errorMessages: ['Error in the JQL Query.'], errors: {} } };
    const found = this.records.find('labels', 'label', label).map(({ fields }) => String(fields.issue));
    const issues = found
      .sort((one, other) => Number(one) - Number(other))
      .flatMap((id) => this.#issue(id, stale) ?? [])
      .map(shown);
    return { status: 200, body: { issues, isLast: true } };
  }

  comment(id: string, body: Body): SandboxAnswer {
    const text = JSON.stringify(body);
    if (!this.records.get('issues', id)) return notFound;
    const refused = this.#rejected(text);
    if (refused) return refused;
    const commentId = String(++this.#lastId);
    const said = toText(body.body);
    const altered = this.faults.take('alter', text) ? `${said} (altered)` : said;
    const kept = this.faults.take('normalise', text) ? `${altered} \n` : altered;
    const fields = { issue: id, body: kept, properties: body.properties ?? [] };
    if (!this.faults.take('accept_without_write', text)) this.records.put('comments', commentId, fields);
    return { status: 201, body: shownComment({ id: commentId, type: 'comments', fields, writes: 1 }) };
  }

  /** Newest first, a hundred at a time. */
  comments(id: string, stale: boolean): SandboxAnswer {
    if (!this.records.get('issues', id)) return notFound;
    const all = this.records.find('comments', 'issue', id).toReversed();
    const seen = stale ? all.slice(1) : all;
    return { status: 200, body: { comments: seen.slice(0, 100).map(shownComment), total: seen.length } };
  }

  #issue(id: string, stale: boolean): SandboxRecord | undefined {
    return stale ? this.records.before('issues', id) : this.records.get('issues', id);
  }

  #rejected(text: string): SandboxAnswer | undefined {
    if (!this.faults.take('reject_item', text)) return undefined;
    return { status: 400, body: { errorMessages: [], errors: { summary: 'Summary cannot be set here.' } } };
  }

  /** The fields as the `normalise` and `alter` faults let them in. */
  #taken(fields: IssueFields, text: string): IssueFields {
    if (this.faults.take('alter', text)) {
      return {
        ...fields,
        ...(fields.summary === undefined ? {} : { summary: `${fields.summary} (altered)` }),
        ...(fields.description === undefined ? {} : { description: toDocument('altered') }),
        ...(fields.priority === undefined ? {} : { priority: { name: 'Lowest' } }),
      };
    }
    if (this.faults.take('normalise', text)) {
      return {
        ...fields,
        ...(fields.summary === undefined ? {} : { summary: fields.summary.trim() }),
        ...(fields.labels === undefined ? {} : { labels: fields.labels.toReversed() }),
      };
    }
    return fields;
  }
}

const notFound: SandboxAnswer = {
  status: 404,
  body: { errorMessages: ['Issue does not exist or you do not have permission to see it.'], errors: {} },
};

/** What the sandbox's Jira refuses, in the form of its 400. */
function refusal(fields: IssueFields, creating: boolean): SandboxAnswer | undefined {
  const errors: Record<string, string> = {};
  const named = (value: unknown, known: readonly string[]) =>
    known.some((name) => name.toLowerCase() === String((value as { name?: string })?.name).toLowerCase());
  if (creating && !(fields.project as { key?: string } | undefined)?.key)
    errors.project = 'Specify a valid project.';
  if (creating && !named(fields.issuetype, issueTypes)) errors.issuetype = 'Specify an issue type.';
  if (creating && !fields.summary?.trim()) errors.summary = 'You must specify a summary of the issue.';
  if (fields.priority !== undefined && !named(fields.priority, priorities))
    errors.priority = 'Priority name is not valid.';
  if (fields.duedate !== undefined && !/^\d{4}-\d\d-\d\d$/.test(String(fields.duedate)))
    errors.duedate = 'Error parsing date string.';
  if ((fields.labels ?? []).some((label) => /\s/.test(label))) errors.labels = 'The label contains spaces.';
  if (Object.keys(errors).length === 0) return undefined;
  return { status: 400, body: { errorMessages: [], errors } };
}

function openTransitions(issue: SandboxRecord) {
  const { name: current } = issue.fields.status as { name: string };
  return statuses.flatMap((to, at) => (to.name === current ? [] : [{ id: String(11 + at * 10), to }]));
}

function shown({ id, fields: { key, ...fields } }: SandboxRecord) {
  const { assignee } = fields as { assignee?: { id: string } };
  return { id, key, fields: { ...fields, ...(assignee ? { assignee: { accountId: assignee.id } } : {}) } };
}

function shownComment({ id, fields }: SandboxRecord) {
  return { id, body: toDocument(String(fields.body)), properties: fields.properties };
}
