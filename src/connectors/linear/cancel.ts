import type { CallOptions, Outcome } from '../connector.ts';
import { rejected } from '../outcomes.ts';
import { beforeWriting } from '../rest.ts';
import { changeIssue } from './change.ts';
import type { Linear, Node } from './client.ts';

interface State extends Node {
  type?: string;
  position?: number;
}
interface Cancellable extends Node {
  state?: State | null;
  team?: { states?: { nodes?: State[] } } | null;
}

/** Whether a state is one of those that stand for "this is not going to be done". */
export function isCanceled(state: unknown): boolean {
  return (state as State | null | undefined)?.type === 'canceled';
}

/**
 * Moves an issue to the state by which its team says that it is not going to be done, the first of several. One that has
 * such a state stays as it is.
 */
export async function cancel(linear: Linear, issueId: string, call: CallOptions): Promise<Outcome> {
  const answer = await linear.list<Cancellable>('Cancellation', 'issues', { ids: [issueId] }, call);
  if (!answer.ok) return beforeWriting(answer.problem);
  const issue = answer.nodes.find(({ id }) => id === issueId);
  if (!issue) return rejected('issue', `there is no issue ${issueId}`);
  if (isCanceled(issue.state)) return { kind: 'already', id: issueId };
  const states = (issue.team?.states?.nodes ?? []).filter(isCanceled);
  const [state] = states.toSorted((one, other) => (one.position ?? 0) - (other.position ?? 0));
  if (!state) return rejected('state', "the issue's team has no state of the type canceled");
  return changeIssue(linear, issueId, { stateId: state.id }, call);
}
