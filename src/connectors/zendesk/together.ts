import { isOfConnection } from '../calls.ts';
import type { Outcome, Throttled, Unavailable, WriteItem } from '../connector.ts';
import type { JobEnd, JobResult } from './jobs.ts';

/** What a job or a request writes: an action, with what it is about. */
export interface Thing {
  item: WriteItem;
}
export type Settle<One> = (one: One, outcome: Outcome) => void;

/** How the things of a kind are written: many by a job, one by a request. */
export interface Ways<One> {
  /** Returns those whose turn it is to go alone: certainly not written, and not yet told why. */
  job(things: One[], settle: Settle<One>): Promise<One[]>;
  alone(thing: One): Promise<Outcome>;
}

/** Writes rounds of things in order, none while it is in doubt whether the round before may still land. */
export async function writeTogether<One extends Thing>(
  rounds: One[][],
  outcomes: Map<string, Outcome>,
  ways: Ways<One>,
): Promise<void> {
  let stopped: Throttled | Unavailable | undefined;
  const settle: Settle<One> = ({ item }, outcome) => {
    outcomes.set(item.key, outcome);
    if (isOfConnection(outcome)) stopped = outcome;
  };
  const inDoubt = () => [...outcomes.values()].some(({ kind }) => kind === 'ambiguous');
  for (const round of rounds) {
    const single = round.length > 1 && !stopped ? await ways.job(round, settle) : round;
    for (const one of single) settle(one, stopped ?? (await ways.alone(one)));
    // What may still land must not land after the next values of the same thing.
    if (inDoubt())
      stopped ??= { kind: 'throttled', retryAfterMs: null, reason: 'not sent: the one before is in doubt' };
  }
}

/**
 * What the end of a job means for those that it did not name as written: they go alone when they are what it refused, and
 * are in doubt otherwise. Refusals are named by position alone: where they are as many as are left, they are those.
 */
export function notNamed<One extends Thing>(
  end: JobEnd,
  count: number,
  left: One[],
  settle: Settle<One>,
): One[] {
  const refusals = end.results.filter((result) => !isWritten(result)).length;
  if (end.complete && end.results.length === count && refusals === left.length) return left;
  const reason = end.complete ? 'the job’s answer does not tell of this one' : end.reason;
  const { meanwhile } = end;
  for (const one of left) settle(one, { kind: 'ambiguous', reason, ...(meanwhile && { meanwhile }) });
  return [];
}

/** "Created" and "Updated"; what failed has an error, and may have its position in the place of an id. */
export function isWritten({ id, status, error, success }: JobResult): boolean {
  return id !== undefined && error === undefined && status !== 'Failed' && success !== false;
}
