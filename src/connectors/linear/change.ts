import type { CallOptions, Outcome } from '../connector.ts';
import type { Linear, Node } from './client.ts';

/** Sets what an issue has in these fields. */
export async function changeIssue(
  linear: Linear,
  issueId: string,
  input: Record<string, unknown>,
  call: CallOptions,
): Promise<Outcome> {
  const answer = await linear.ask('UpdateIssue', { id: issueId, input }, call);
  return answer.ok ? said(answer.data.issueUpdate, 'issue', issueId, issueId) : answer.problem;
}

/** What a mutation of one thing says about it. */
export function said(payload: unknown, name: string, wantedId: string, id: string): Outcome {
  const { success, [name]: thing } = (payload ?? {}) as { success?: boolean; [name: string]: unknown };
  const isThis = success === true && (thing as Node | undefined)?.id === wantedId;
  return isThis
    ? { kind: 'applied', id }
    : { kind: 'ambiguous', reason: `the answer does not confirm this ${name}` };
}
