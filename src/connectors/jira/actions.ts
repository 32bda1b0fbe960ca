import { z } from 'zod';
import { isOfConnection } from '../calls.ts';
import type { ActionType, CallOptions, Fields, Outcome, WriteItem } from '../connector.ts';
import { rejected } from '../outcomes.ts';
import { asked, beforeWriting } from '../rest.ts';
import type { Jira } from './client.ts';
import { toDocument } from './document.ts';
import { canonical, ourLabel, splitLabels } from './normal.ts';
import { findComment } from './readback.ts';
import { commentFields, createFields, customField, updateFields } from './schema.ts';

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

/**
 * Fields first, then the status, which Jira changes only by a transition of the issue's workflow. A failure between the
 * two is in doubt; the read-back shows what is missing, and both may be done again.
 */
async function update(jira: Jira, item: WriteItem, issueId: string, call: CallOptions): Promise<Outcome> {
  const { status, summary, ...rest } = item.fields;
  const fields = { ...(summary === undefined ? {} : { summary }), ...asFields(rest) };
  const transition = status === undefined ? undefined : await transitionTo(jira, issueId, status, call);
  if (transition && 'kind' in transition) return transition;
  const edited = await jira.editIssue(issueId, { fields, properties: [mark(item)] }, call);
  if (!edited.ok) return edited.problem;
  if (transition?.id !== undefined) {
    const { id } = transition;
    const moved = await asked(() => jira.transition(issueId, id, call));
    if (!moved.ok) return halfDone(moved.problem);
  }
  return { kind: 'applied', id: issueId };
}

/** The transition that leads to a status; none when the issue has it already. */
async function transitionTo(
  jira: Jira,
  issueId: string,
  status: string,
  call: CallOptions,
): Promise<{ id: string | undefined } | Outcome> {
  const answer = await jira.issueWithTransitions(issueId, call);
  if (!answer.ok) return beforeWriting(answer.problem);
  const wanted = canonical('status', status);
  const { name } = (answer.issue.fields.status ?? {}) as { name?: string };
  if (canonical('status', name) === wanted) return { id: undefined };
  const open = answer.issue.transitions ?? [];
  const transition = open.find(({ to }) => canonical('status', to?.name) === wanted);
  if (transition) return { id: transition.id };
  const names = open.flatMap(({ to }) => to?.name ?? []).join(', ');
  return rejected(
    'status',
    `no transition leads from ${name ?? 'here'} to ${status}; open are: ${names || 'none'}`,
  );
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

/** The fields are written, the status is not known to be: what the refusal says about the connection still counts. */
function halfDone(problem: Outcome): Outcome {
  if (isOfConnection(problem))
    return { kind: 'ambiguous', reason: `the status was not changed: ${problem.reason}`, meanwhile: problem };
  return { kind: 'ambiguous', reason: 'reason' in problem ? problem.reason : 'the status was not changed' };
}
