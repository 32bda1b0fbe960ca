import { type PollResult, skippedPoll } from '../detect/poll.ts';
import { knownNames } from '../ledger/commands.ts';
import type { Queryable } from '../store/queries.ts';

/** A pause holds for polls by hand as it does for ticks: what comes of the poll instead, where the signal is paused. */
export async function pausedPoll(ledger: Queryable, signal: string): Promise<PollResult | undefined> {
  const known = await knownNames(ledger);
  const paused = known.find((one) => one.kind === 'signal' && one.name === signal && one.paused);
  return paused && skippedPoll(`signal paused: ${paused.paused_reason}`);
}
