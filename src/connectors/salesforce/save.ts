import { z } from 'zod';
import { quote } from '../calls.ts';
import type { Outcome, Throttled, Unavailable } from '../connector.ts';
import { inHalves } from '../halves.ts';
import { type Answer, asked, type Refused } from '../rest.ts';
import { inRounds } from '../rounds.ts';
import { isPassing, type SObject } from './client.ts';

export interface Saving {
  key: string;
  /** What tells its record from others: two of the same name in one request are refused by Salesforce. */
  name: string;
  record: SObject;
}

/** One entry of a collection's answer; nothing but its place says which record it is about. */
const result = z.object({
  id: z.string().nullish(),
  success: z.boolean(),
  errors: z.array(z.object({ statusCode: z.string(), message: z.string().default('') })).default([]),
});
type Complaint = z.infer<typeof result>['errors'][number];

/**
 * Sends records in one request, and in more where they repeat a name or are refused together for one of them.
 * `unique` is what Salesforce calls the field that must not repeat, when it refuses a duplicate.
 */
export async function save(
  inputs: Saving[],
  unique: string,
  send: (records: SObject[]) => Promise<Answer | Refused>,
): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  let stopped: Throttled | Unavailable | undefined;
  for (const round of inRounds(inputs, ({ name }) => name))
    await inHalves(round, async (batch) => {
      if (stopped) return settleAll(outcomes, batch, stopped);
      const answer = await asked(() => send(batch.map(({ record }) => record)));
      if (answer.ok) return settle(outcomes, batch, unique, answer.body);
      const { problem } = answer;
      if (problem.kind === 'rejected') return refuse(outcomes, batch, problem);
      stopped =
        problem.kind === 'ambiguous'
          ? { kind: 'throttled', retryAfterMs: null, reason: 'not sent: the call before it got no answer' }
          : problem;
      return settleAll(outcomes, batch, problem);
    });
  return outcomes;
}

function settleAll(outcomes: Map<string, Outcome>, batch: Saving[], outcome: Outcome): Saving[] {
  for (const { key } of batch) outcomes.set(key, outcome);
  return [];
}

/**
 * Nothing of the batch was written. A value that is no number, date or boolean, or that points to no record, is not named,
 * and is looked for. Anything else, such as a field that does not exist, is about all alike: their fields are the same.
 */
function refuse(
  outcomes: Map<string, Outcome>,
  batch: Saving[],
  problem: Outcome & { kind: 'rejected' },
): Saving[] {
  const { code, reason } = problem;
  const isAboutOne =
    code === 'JSON_PARSER_ERROR' || (code === 'INVALID_FIELD' && !reason.includes('No such column'));
  return isAboutOne && batch.length > 1 ? batch : settleAll(outcomes, batch, problem);
}

/** Pairs results with records by their place, which Salesforce promises; a list of another length tells nothing. */
function settle(outcomes: Map<string, Outcome>, batch: Saving[], unique: string, body: unknown): Saving[] {
  const results = z.array(result).safeParse(body).data;
  if (results?.length !== batch.length) {
    const reason = `Salesforce gave ${results?.length ?? 'no'} results for ${batch.length} records`;
    return settleAll(outcomes, batch, { kind: 'ambiguous', reason });
  }
  for (const [at, { id, success, errors }] of results.entries()) {
    const input = batch[at];
    if (!input) continue;
    if (success && id) outcomes.set(input.key, { kind: 'applied', id });
    else outcomes.set(input.key, success ? nameless : refusal(unique, errors[0]));
  }
  return [];
}

const nameless: Outcome = {
  kind: 'ambiguous',
  reason: 'Salesforce says it was written, but not under which id',
};

function refusal(unique: string, error: Complaint | undefined): Outcome {
  if (!error) return { kind: 'ambiguous', reason: 'Salesforce says neither yes nor why not' };
  const code = quote(error.statusCode, []);
  const reason = quote(error.message, []) || code;
  if (code === 'UNKNOWN_EXCEPTION' || code === 'INTERNAL_ERROR') return { kind: 'ambiguous', reason };
  if (code === 'REQUEST_LIMIT_EXCEEDED') return { kind: 'throttled', retryAfterMs: null, reason };
  // The record came into being between Salesforce's look and its write (then it may not even be able to name the field):
  // the next write finds it. A duplicate in another field stays one.
  const race = code === 'DUPLICATE_VALUE' && (reason.includes(unique) || reason.includes('<unknown>'));
  return { kind: 'rejected', code, reason, permanent: !(race || isPassing(code)) };
}
