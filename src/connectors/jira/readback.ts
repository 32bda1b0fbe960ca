import type { CallOptions, ReadItem, Reading } from '../connector.ts';
import { oneByOne } from '../one-by-one.ts';
import { asked, asReading, type Problem } from '../rest.ts';
import type { Comment, Issue, Jira } from './client.ts';
import { toText } from './document.ts';
import { ourLabel } from './normal.ts';
import { customField } from './schema.ts';
import { closed, type Status } from './status.ts';

/** Fields of a destination, by the name Jira has for them. */
const jiraNames: Readonly<Record<string, string>> = {
  issue_type: 'issuetype',
  assignee_id: 'assignee',
  due_date: 'duedate',
  closed: 'status',
  label: 'labels',
};

/** What Jira holds now, by action key. Ids are read 100 at a time; what has no id is looked for one by one. */
export async function read(
  jira: Jira,
  action: string,
  items: ReadItem[],
  call: CallOptions,
): Promise<Map<string, Reading>> {
  if (action === 'comment_issue') return oneByOne(items, (item) => readComment(jira, item, call));
  const readings = new Map<string, Reading>();
  const withId: { item: ReadItem; id: string }[] = [];
  for (const item of items) {
    const id = item.id ?? item.parentId;
    if (id) withId.push({ item, id });
    else readings.set(item.key, await byLabel(jira, item, call));
  }
  if (withId.length === 0) return readings;
  const ids = [...new Set(withId.map((one) => one.id))];
  const answer = await asked(() => jira.issues(ids, fieldsOf(items), call));
  for (const { item, id } of withId) {
    const issue = answer.ok ? answer.issues.find((one) => one.id === id) : undefined;
    if (!answer.ok) readings.set(item.key, asReading(answer.problem));
    else readings.set(item.key, issue ? reading(issue, item) : { kind: 'absent' });
  }
  return readings;
}

/** A label can be put on other issues by hand: the oldest that bears ours is the one this action made. */
async function byLabel(jira: Jira, item: ReadItem, call: CallOptions): Promise<Reading> {
  const answer = await asked(() => jira.labelled(ourLabel(item.key), fieldsOf([item]), call));
  if (!answer.ok) return asReading(answer.problem);
  const [oldest] = answer.issues;
  return oldest ? reading(oldest, item) : { kind: 'absent' };
}

async function readComment(jira: Jira, item: ReadItem, call: CallOptions): Promise<Reading> {
  const issueId = item.id ?? item.parentId;
  if (!issueId) return { kind: 'unreadable', reason: 'no issue to read' };
  const found = await findComment(jira, issueId, item.key, call);
  if (found.kind === 'problem') return asReading(found.problem);
  if (found.kind !== 'found') return found;
  return { kind: 'found', id: issueId, fields: { body: toText(found.comment.body) } };
}

export type FoundComment =
  | { kind: 'found'; comment: Comment }
  | { kind: 'absent' }
  | { kind: 'unreadable'; reason: string }
  | { kind: 'problem'; problem: Problem };

/** Looks among the newest 100 comments for the one that carries our key. */
export async function findComment(
  jira: Jira,
  issueId: string,
  key: string,
  call: CallOptions,
): Promise<FoundComment> {
  const answer = await asked(() => jira.comments(issueId, call));
  if (!answer.ok) return answer.gone ? { kind: 'absent' } : { kind: 'problem', problem: answer.problem };
  const comment = answer.comments.find(({ properties }) =>
    properties?.some((one) => one.key === 'readback' && one.value?.key === key),
  );
  if (comment) return { kind: 'found', comment };
  if (answer.total <= answer.comments.length) return { kind: 'absent' };
  return { kind: 'unreadable', reason: 'not among the newest 100 comments, and there are more' };
}

function fieldsOf(items: readonly ReadItem[]): string[] {
  return [...new Set(items.flatMap((item) => item.fields.map((field) => jiraNames[field] ?? field)))];
}

function reading(issue: Issue, item: ReadItem): Reading {
  const fields = Object.fromEntries(item.fields.map((field) => [field, fieldOf(issue, field, item)]));
  return { kind: 'found', id: issue.id, fields };
}

function fieldOf({ fields }: Issue, field: string, { locator }: ReadItem): unknown {
  const value = fields[jiraNames[field] ?? field];
  if (field === 'closed') return String(closed.isMet(value as Status));
  // One of many: whether it is there.
  if (field === 'label') return Array.isArray(value) && value.includes(locator.label) ? locator.label : '';
  if (field === 'description') return toText(value);
  if (field === 'labels') return ours(value);
  if (customField.test(field)) return plain(value);
  const { name, key, accountId } = (value ?? {}) as { name?: string; key?: string; accountId?: string };
  if (field === 'project' || field === 'parent') return key;
  if (field === 'assignee_id') return accountId;
  return typeof value === 'object' ? name : value;
}

/** Without the labels by which Readback finds its issues. */
function ours(labels: unknown): unknown {
  return Array.isArray(labels) ? labels.filter((label) => !String(label).startsWith('readback-')) : labels;
}

/** A select field is an object with a `value`, a long text field is a document, several values are an array. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => String(plain(one) ?? '')).join(',');
  if (typeof value !== 'object' || value === null) return value;
  if ('value' in value) return value.value;
  return 'type' in value ? toText(value) : ((value as { name?: string }).name ?? JSON.stringify(value));
}
