import { z } from 'zod';
import type { ActionType, CallOptions, Fields, Outcome, WriteItem } from '../connector.ts';
import { rejected } from '../outcomes.ts';
import { beforeWriting } from '../rest.ts';
import { change } from './change.ts';
import type { Jira } from './client.ts';
import { toDocument } from './document.ts';
import { canonical, ourLabel, splitLabels, withoutBlanks } from './normal.ts';
import { findComment } from './readback.ts';
import { closeFields, commentFields, createFields, customField, updateFields } from './schema.ts';
import { closed, statusNamed } from './status.ts';

/**
 * Reading by id is immediate. Search, by which an issue is found when no answer came, follows after a while that Jira
 * does not state; a minute is several times what is usually seen.
 */
const lagMs = 60_000;

const common = {
  options: z.strictObject({}),
  unreadable: [],
  maxBatch: 1,
  concurrency: 4,
  lagMs,
  locate: () => ({}),
  canonical,
} as const;

export const actions = {
  create_issue: {
    ...common,
    summary: 'Creates an issue, once per action.',
    idempotency: 'marker',
    fields: createFields,
    needsParent: false,
    maxReadBatch: 100,
    // Closed and not deleted: few accounts may delete, and nobody brings back what is deleted.
    inverse: { action: 'close_issue', fields: { closed: 'true', label: 'withdrawn' } },
    example: {
      fields: {
        project: 'ONB',
        issue_type: 'Task',
        summary: 'Onboard {{ company }}',
        description: '{{ company }} signed for {{ amount | money: "EUR" }}.\n\nStart with the kick-off call.',
        priority: 'High',
        labels: 'onboarding',
        due_date: '{{ kickoff_on | date: "%Y-%m-%d" }}',
      },
    },
  },
  update_issue: {
    ...common,
    summary: 'Changes the issue an earlier destination made (`follows:`), also its status.',
    // Values are set, not added: the same update twice leaves the same issue.
    idempotency: 'upsert',
    fields: updateFields,
    needsParent: true,
    maxReadBatch: 100,
    example: { fields: { status: 'Done', priority: 'Low' } },
  },
  close_issue: {
    ...common,
    summary: 'Closes the issue an earlier destination made (`follows:`), whatever its workflow calls that.',
    idempotency: 'upsert',
    fields: closeFields,
    needsParent: true,
    maxReadBatch: 100,
    locate: ({ label }: Fields) => (label === undefined ? {} : { label: withoutBlanks(label) }),
    example: { fields: { closed: 'true', label: 'obsolete' } },
  },
  comment_issue: {
    ...common,
    summary: 'Comments the issue an earlier destination made (`follows:`).',
    idempotency: 'marker',
    fields: commentFields,
    needsParent: true,
    maxReadBatch: 20,
    example: { fields: { body: '{{ company }} has changed to {{ plan }}.' } },
  },
} satisfies Record<string, ActionType>;

/** Writes one action. */
export async function write(
  jira: Jira,
  action: string,
  item: WriteItem,
  call: CallOptions,
): Promise<Outcome> {
  if (action === 'create_issue') return create(jira, item, call);
  const { parentId } = item;
  if (!parentId) return rejected('parent', 'no issue to work on');
  if (action === 'close_issue') return close(jira, item, parentId, call);
  return action === 'update_issue' ? update(jira, item, parentId, call) : comment(jira, item, parentId, call);
}

/** The label marks the issue for the search, the property survives when somebody tidies the labels away. */
async function create(jira: Jira, item: WriteItem, call: CallOptions): Promise<Outcome> {
  const { project, issue_type, summary, labels, parent, ...rest } = item.fields;
  const fields = {
    project: { key: project },
    issuetype: { name: issue_type },
    summary,
    labels: [...splitLabels(labels ?? ''), ourLabel(item.key)],
    ...(parent ? { parent: { key: parent } } : {}),
    ...asFields(rest),
  };
  const answer = await jira.createIssue({ fields, properties: [mark(item)] }, call);
  return answer.ok ? { kind: 'applied', id: answer.id } : answer.problem;
}

async function update(jira: Jira, item: WriteItem, issueId: string, call: CallOptions): Promise<Outcome> {
  const { status, summary, ...rest } = item.fields;
  const fields = { ...(summary === undefined ? {} : { summary }), ...asFields(rest) };
  const goal = status === undefined ? undefined : statusNamed(status);
  return change(jira, issueId, { fields, properties: [mark(item)] }, goal, call);
}

/** A label is added beside those that are there; added twice it is there once. */
async function close(jira: Jira, item: WriteItem, issueId: string, call: CallOptions): Promise<Outcome> {
  const label = withoutBlanks(item.fields.label ?? '');
  const edit = label && { update: { labels: [{ add: label }] }, properties: [mark(item)] };
  return change(jira, issueId, edit || undefined, closed, call);
}

/** Jira takes no key for comments: one that may be a repeat is looked for by its property first. */
async function comment(jira: Jira, item: WriteItem, issueId: string, call: CallOptions): Promise<Outcome> {
  if (item.mayRepeat) {
    const found = await findComment(jira, issueId, item.key, call);
    if (found.kind === 'found') return { kind: 'already', id: issueId };
    if (found.kind === 'problem') return beforeWriting(found.problem);
  }
  const body = toDocument(item.fields.body ?? '');
  const answer = await jira.addComment(issueId, { body, properties: [mark(item)] }, call);
  return answer.ok ? { kind: 'applied', id: issueId } : answer.problem;
}

function mark(item: WriteItem) {
  return { key: 'readback', value: { key: item.key } };
}

function asFields({
  description,
  priority,
  assignee_id,
  due_date,
  ...custom
}: Fields): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  if (description !== undefined) fields.description = toDocument(description);
  if (priority !== undefined) fields.priority = { name: priority };
  if (assignee_id !== undefined) fields.assignee = { id: assignee_id };
  if (due_date !== undefined) fields.duedate = due_date;
  for (const [name, value] of Object.entries(custom)) if (customField.test(name)) fields[name] = value;
  return fields;
}
