import type { Outcome, Reading } from '../connectors/connector.ts';
import type { Move } from './action.ts';
import type { ConnectionGate } from './connection.ts';
import type { Lane } from './lane.ts';

/** What came of one batch. */
export interface Answer {
  /** What it means for the actions, in the order in which it happened. */
  moves: Move[];
  /** What was said in each call, for the connection to learn from. */
  calls: readonly (readonly (Outcome | Reading)[])[];
}

/**
 * Ends a wave: records what its batches brought, then lets the connection learn from it.
 *
 * @returns false when the connection may not be used for now
 */
export async function endWave(
  lane: Lane,
  gate: ConnectionGate,
  answers: readonly Answer[],
): Promise<boolean> {
  // One statement for the wave: four small ones cost the ledger twice as much as one of their size.
  await lane.record(answers.flatMap((answer) => answer.moves));
  let usable = true;
  for (const said of answers.flatMap((answer) => answer.calls)) usable = (await gate.learn(said)) && usable;
  return usable;
}

/** Batches of at most `size`, in order. */
export function batchesOf<Item>(items: readonly Item[], size: number): Item[][] {
  const batches: Item[][] = [];
  for (let start = 0; start < items.length; start += size) batches.push(items.slice(start, start + size));
  return batches;
}
