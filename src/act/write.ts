import type { Destination } from '../config/model.ts';
import {
  type ActionType,
  type CallOptions,
  type Client,
  NotSent,
  type Outcome,
} from '../connectors/connector.ts';
import type { Move } from '../ledger/action.ts';
import type { ConnectionGate } from '../ledger/connection.ts';
import type { Lane } from '../ledger/lane.ts';
import { decideOutcome } from './decide.ts';
import type { Prepared } from './prepare.ts';

export interface Writer {
  lane: Lane;
  gate: ConnectionGate;
  client: Client;
  destination: Destination;
  type: ActionType;
  call: CallOptions;
  /** Raised when the worker is to finish what is under way and begin nothing new. */
  draining: AbortSignal;
  /** Told of every outcome, for the log. */
  onOutcome(prepared: Prepared, outcome: Outcome): void;
}

/**
 * Writes prepared actions in waves: intents committed, calls made, outcomes recorded. A wave is what may be under way
 * at once, so that a crash leaves at most one wave in doubt.
 *
 * @returns false when the connection may not be used for now; what was not sent stays due
 */
export async function write(writer: Writer, prepared: readonly Prepared[]): Promise<boolean> {
  const { type, lane, gate, draining } = writer;
  const waveSize = type.maxBatch * type.concurrency;
  let usable = true;
  for (let start = 0; start < prepared.length; start += waveSize) {
    try {
      await gate.ready(draining);
    } catch (error) {
      if (error instanceof NotSent || draining.aborted) return false;
      throw error;
    }
    const wave = prepared.slice(start, start + waveSize);
    const committed = await lane.commitIntents(wave.map((one) => one.intent));
    const batches = batchesOf(
      wave.filter((one) => committed.has(one.action.key)),
      type.maxBatch,
    );
    const answers = await Promise.all(batches.map((batch) => writeBatch(writer, batch)));
    // One statement for the wave: four small ones cost the ledger twice as much as one of their size.
    await lane.record(answers.flatMap((answer) => answer.moves));
    for (const { outcomes } of answers) usable = (await gate.learn(outcomes)) && usable;
    if (!usable) return false;
  }
  return true;
}

interface Answer {
  moves: Move[];
  outcomes: Outcome[];
}

async function writeBatch(writer: Writer, batch: readonly Prepared[]): Promise<Answer> {
  const started = performance.now();
  const outcomes = await call(writer, batch);
  const durationMs = Math.round(performance.now() - started);
  const moves = batch.map((one) => {
    const outcome = outcomes.get(one.action.key) ?? missing;
    writer.onOutcome(one, outcome);
    return decideOutcome(
      { ...one.action, state: 'sending' },
      outcome,
      writer.destination.maxAttempts,
      durationMs,
    );
  });
  return { moves, outcomes: [...outcomes.values()] };
}

async function call(writer: Writer, batch: readonly Prepared[]): Promise<Map<string, Outcome>> {
  const { client, destination } = writer;
  const everyItem = (outcome: Outcome) => new Map(batch.map((one) => [one.action.key, outcome]));
  try {
    return await client.write(
      destination.action,
      destination.options,
      batch.map((one) => one.item),
      writer.call,
    );
  } catch (error) {
    if (error instanceof NotSent) return everyItem(error.outcome);
    return everyItem({ kind: 'ambiguous', reason: `the connector failed: ${(error as Error).message}` });
  }
}

/** Results map by id (rule 7): what the answer does not name is not known. */
const missing: Outcome = { kind: 'ambiguous', reason: 'the answer did not mention this item' };

function batchesOf<Item>(items: readonly Item[], size: number): Item[][] {
  const batches: Item[][] = [];
  for (let start = 0; start < items.length; start += size) batches.push(items.slice(start, start + size));
  return batches;
}
