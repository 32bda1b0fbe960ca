import type { Destination } from '../config/model.ts';
import {
  type ActionType,
  type CallOptions,
  type Client,
  NotSent,
  type Outcome,
} from '../connectors/connector.ts';
import { type Action, endedCall, type Move } from '../ledger/action.ts';
import type { ConnectionGate } from '../ledger/connection.ts';
import { type Intent, intentLifeMs, type Lane } from '../ledger/lane.ts';
import { type Answer, batchesOf, endWave } from '../ledger/wave.ts';
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
  /** Reads back what a batch wrote, before the wave is recorded. */
  readBack(accepted: readonly Action[]): Promise<Answer>;
}

/**
 * Writes prepared actions in waves: intents committed, calls made, outcomes recorded. A wave is what may be under way
 * at once, so that a crash leaves at most one wave in doubt.
 *
 * @returns false when the connection may not be used for now; what was not sent stays due
 */
export async function write(writer: Writer, prepared: readonly Prepared[]): Promise<boolean> {
  const { type, lane, gate, draining } = writer;
  for (const wave of batchesOf(prepared, type.maxBatch * type.concurrency)) {
    try {
      await gate.ready(draining);
    } catch (error) {
      if (error instanceof NotSent || draining.aborted) return false;
      throw error;
    }
    // Counts from before the commit, as the ledger does: what was suspended in between must not count in its favour.
    const beginBy = performance.now() + intentLifeMs(writer.call.timeoutMs);
    const committed = await lane.commitIntents(wave);
    const batches = batchesOf(
      wave.filter((one) => committed.has(one.action.key)),
      type.maxBatch,
    );
    const answers = await Promise.all(batches.map((batch) => writeBatch(writer, batch, beginBy)));
    if (!(await endWave(lane, gate, answers))) return false;
  }
  return true;
}

/**
 * Whether a batch is read back before its outcome is recorded: two steps of an action in one update spare the ledger a
 * third. Not where many writes are read back by one call, and not where a record is found by nothing but the id
 * in the answer: that is recorded first.
 */
function readsAtOnce({ type }: Writer): boolean {
  return type.maxBatch >= type.maxReadBatch && type.idempotency !== 'none';
}

async function writeBatch(writer: Writer, batch: readonly Prepared[], beginBy: number): Promise<Answer> {
  const { destination, draining } = writer;
  const started = performance.now();
  const outcomes = await send(writer, batch, beginBy);
  const call = endedCall('write', started);
  const accepted: Action[] = [];
  const moves = batch.map((prepared) => {
    const { action, intent } = prepared;
    const outcome = outcomes.get(action.key) ?? missing;
    writer.onOutcome(prepared, outcome);
    const sending: Action = { ...action, state: 'sending', absences: 0 };
    const move = decideOutcome(sending, outcome, destination.maxAttempts, call);
    if (move.accepted) accepted.push(acceptedAction(sending, intent, move));
    return move;
  });
  const written = [...outcomes.values()];
  if (accepted.length === 0 || draining.aborted || !readsAtOnce(writer)) return { moves, calls: [written] };
  const read = await writer.readBack(accepted);
  return { moves: [...moves, ...read.moves], calls: [written, ...read.calls] };
}

/** The action as it will be once its outcome is recorded. */
function acceptedAction(action: Action, { sent, locator }: Intent, move: Move): Action {
  const { attempts, external_id } = move;
  return { ...action, state: 'accepted', attempts, external_id, sent, locator, waited_ms: 0 };
}

async function send(
  writer: Writer,
  batch: readonly Prepared[],
  beginBy: number,
): Promise<Map<string, Outcome>> {
  const { client, destination } = writer;
  const everyItem = (outcome: Outcome) => new Map(batch.map((one) => [one.action.key, outcome]));
  try {
    return await client.write(
      destination.action,
      destination.options,
      batch.map((one) => one.item),
      { ...writer.call, beginBy },
    );
  } catch (error) {
    if (error instanceof NotSent) return everyItem(error.outcome);
    return everyItem({ kind: 'ambiguous', reason: `the connector failed: ${(error as Error).message}` });
  }
}

/** Results map by id (rule 7): what the answer does not name is not known. */
const missing: Outcome = { kind: 'ambiguous', reason: 'the answer did not mention this item' };
