import { z } from 'zod';
import type { ActionType, CallOptions, Outcome, WriteItem } from '../connector.ts';
import { inHalves } from '../halves.ts';
import { oneByOne } from '../one-by-one.ts';
import { rejected } from '../outcomes.ts';
import { beforeWriting } from '../rest.ts';
import { cancel } from './cancel.ts';
import { changeIssue, said } from './change.ts';
import { conflict, isList, type Linear, type Node } from './client.ts';
import { idOf } from './identity.ts';
import { idsAmong, type Names } from './names.ts';
import { canonical } from './normal.ts';
import { cancelFields, commentFields, createFields, updateFields } from './schema.ts';

/** Reading is by id. What has to be waited out is a request that Linear finishes after we have lost it. */
const lagMs = 30_000;

const common = {
  options: z.strictObject({}),
  unreadable: [],
  maxReadBatch: 50,
  concurrency: 4,
  lagMs,
  locate: idsAmong,
  canonical,
} as const;

export const actions = {
  create_issue: {
    ...common,
    summary: 'Creates an issue, once per action.',
    // Linear takes our id for the issue, and refuses to create it twice.
    idempotency: 'keyed',
    fields: createFields,
    needsParent: false,
    // "Creates a list of issues in one transaction", at most 50.
    maxBatch: 50,
    // Cancelled and not deleted: it stays where people look for it, keeps what they wrote, and can be taken up again.
    inverse: { action: 'cancel_issue', fields: { canceled: 'true' } },
    example: {
      fields: {
        team: 'ONB',
        title: 'Onboard {{ company }}',
        description: '{{ company }} signed for {{ amount | money: "EUR" }}.',
        state: 'Todo',
        priority: 'high',
        labels: 'onboarding',
      },
    },
  },
  update_issue: {
    ...common,
    summary: 'Changes the issue an earlier destination made (`follows:`), also its state.',
    idempotency: 'upsert',
    fields: updateFields,
    needsParent: true,
    maxBatch: 1,
    example: { fields: { state: 'Done', priority: 'low' } },
  },
  cancel_issue: {
    ...common,
    summary: 'Cancels the issue an earlier destination made (`follows:`).',
    idempotency: 'upsert',
    fields: cancelFields,
    needsParent: true,
    maxBatch: 1,
    example: { fields: { canceled: 'true' } },
  },
  comment_issue: {
    ...common,
    summary: 'Comments the issue an earlier destination made (`follows:`), once per action.',
    idempotency: 'keyed',
    fields: commentFields,
    needsParent: true,
    maxBatch: 1,
    example: { fields: { body: '{{ company }} has changed to {{ plan }}.' } },
  },
} satisfies Record<string, ActionType>;

/** Writes one batch, by key. */
export async function write(
  linear: Linear,
  names: Names,
  action: string,
  items: WriteItem[],
  call: CallOptions,
): Promise<Map<string, Outcome>> {
  if (action === 'create_issue') return create(linear, names, items, call);
  return oneByOne(items, async (item) => {
    const { parentId } = item;
    if (!parentId) return rejected('parent', 'no issue to work on');
    if (action === 'cancel_issue') return cancel(linear, parentId, call);
    return action === 'update_issue'
      ? update(linear, names, item, parentId, call)
      : comment(linear, item, parentId, call);
  });
}

/**
 * A batch is one transaction: one bad issue refuses all, and is not named. So what is refused together is sent again in
 * halves, which the ids of our own make harmless.
 */
async function create(
  linear: Linear,
  names: Names,
  items: WriteItem[],
  call: CallOptions,
): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const learnt = await names.learn(items, call);
  if (!learnt.ok) return new Map(items.map((item) => [item.key, beforeWriting(learnt.problem)]));
  const issues: { key: string; issue: Record<string, unknown> & Node }[] = [];
  for (const { key, fields } of items) {
    const named = names.input(fields);
    if ('input' in named) issues.push({ key, issue: { ...named.input, id: idOf(key) } });
    else outcomes.set(key, named);
  }
  await inHalves(issues, async (batch) => {
    const answer = await linear.ask(
      'CreateIssues',
      { input: { issues: batch.map(({ issue }) => issue) } },
      call,
    );
    if (!answer.ok && answer.problem.kind === 'rejected' && batch.length > 1) return batch;
    const payload = answer.ok ? (answer.data.issueBatchCreate as { issues?: unknown } | null) : undefined;
    const created = new Set(isList(payload?.issues) ? payload.issues.map(({ id }) => id) : []);
    for (const { key, issue } of batch) {
      if (!answer.ok) outcomes.set(key, unlessOurs(answer.problem, issue.id));
      else if (created.has(issue.id)) outcomes.set(key, { kind: 'applied', id: issue.id });
      else outcomes.set(key, { kind: 'ambiguous', reason: 'the answer does not name this issue' });
    }
    return [];
  });
  return outcomes;
}

async function update(
  linear: Linear,
  names: Names,
  { fields }: WriteItem,
  issueId: string,
  call: CallOptions,
): Promise<Outcome> {
  const learnt = await names.learn([{ fields, issueId }], call);
  if (!learnt.ok) return beforeWriting(learnt.problem);
  const named = names.input(fields, issueId);
  if (!('input' in named)) return named;
  return changeIssue(linear, issueId, named.input, call);
}

async function comment(
  linear: Linear,
  { key, fields }: WriteItem,
  issueId: string,
  call: CallOptions,
): Promise<Outcome> {
  const id = idOf(key);
  const answer = await linear.ask('CreateComment', { input: { id, issueId, body: fields.body } }, call);
  if (!answer.ok) return unlessOurs(answer.problem, issueId);
  return said(answer.data.commentCreate, 'comment', id, issueId);
}

/** Only an earlier attempt of ours can have taken an id made of our key; whether it did, read-back tells. */
function unlessOurs(problem: Exclude<Outcome, { kind: 'applied' | 'already' }>, id: string): Outcome {
  return problem.kind === 'rejected' && problem.code === conflict ? { kind: 'already', id } : problem;
}
