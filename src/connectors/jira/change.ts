import { isOfConnection } from '../calls.ts';
import type { CallOptions, Outcome } from '../connector.ts';
import { rejected } from '../outcomes.ts';
import { asked, beforeWriting } from '../rest.ts';
import type { Jira } from './client.ts';
import type { Goal, Status } from './status.ts';

/**
 * Fields first, then the status, which Jira changes only by a transition of the issue's workflow, and after which a
 * workflow may let nothing else be changed. A failure between the two is in doubt; the read-back shows what is missing, and
 * both may be done again.
 */
export async function change(
  jira: Jira,
  issueId: string,
  edit: Record<string, unknown> | undefined,
  goal: Goal | undefined,
  call: CallOptions,
): Promise<Outcome> {
  const transition = goal && (await transitionTo(jira, issueId, goal, call));
  if (transition && 'kind' in transition) return transition;
  const transitionId = transition?.id;
  if (!edit && transitionId === undefined) return { kind: 'already', id: issueId };
  const edited = edit && (await jira.editIssue(issueId, edit, call));
  if (edited && !edited.ok) return edited.problem;
  if (transitionId !== undefined) {
    const moved = await asked(() => jira.transition(issueId, transitionId, call));
    if (!moved.ok) return edit ? halfDone(moved.problem) : moved.problem;
  }
  return { kind: 'applied', id: issueId };
}

/** The first transition that leads to such a status; none when the issue has one already. */
async function transitionTo(
  jira: Jira,
  issueId: string,
  goal: Goal,
  call: CallOptions,
): Promise<{ id: string | undefined } | Outcome> {
  const answer = await jira.issueWithTransitions(issueId, call);
  if (!answer.ok) return beforeWriting(answer.problem);
  const status = (answer.issue.fields.status ?? {}) as Status;
  if (goal.isMet(status)) return { id: undefined };
  const open = answer.issue.transitions ?? [];
  const transition = open.find(({ to }) => goal.isMet(to));
  if (transition) return { id: transition.id };
  const names = open.flatMap(({ to }) => to?.name ?? []).join(', ');
  return rejected(
    'status',
    `no transition leads from ${status.name ?? 'here'} to ${goal.words}; open are: ${names || 'none'}`,
  );
}

/** The fields are written, the status is not known to be: what the refusal says about the connection still counts. */
function halfDone(problem: Outcome): Outcome {
  if (isOfConnection(problem))
    return { kind: 'ambiguous', reason: `the status was not changed: ${problem.reason}`, meanwhile: problem };
  return { kind: 'ambiguous', reason: 'reason' in problem ? problem.reason : 'the status was not changed' };
}
