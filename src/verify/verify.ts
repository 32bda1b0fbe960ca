import type { Destination } from '../config/model.ts';
import {
  type ActionType,
  type CallOptions,
  type Client,
  NotSent,
  type ReadItem,
  type Reading,
} from '../connectors/connector.ts';
import { type Action, endedCall, type Move } from '../ledger/action.ts';
import type { ConnectionGate } from '../ledger/connection.ts';
import { intentLifeMs, type Lane } from '../ledger/lane.ts';
import { type Answer, batchesOf, endWave } from '../ledger/wave.ts';
import { differingFields } from './compare.ts';
import { decideReading, decideUnverifiable, type VerifyPolicy } from './decide.ts';

export interface Verifier {
  lane: Lane;
  gate: ConnectionGate;
  client: Client;
  destination: Destination;
  type: ActionType;
  call: CallOptions;
  /** Raised when the worker is to finish what is under way and begin nothing new. */
  draining: AbortSignal;
  /** Told of every verdict, for the log. */
  onVerdict(action: Action, move: Move): void;
}

/**
 * Reads back actions in batches and records what was found.
 *
 * @returns false when the connection may not be used for now
 */
export async function verify(verifier: Verifier, actions: readonly Action[]): Promise<boolean> {
  const { maxReadBatch, concurrency } = verifier.type;
  for (const wave of batchesOf(actions, maxReadBatch * concurrency)) {
    if (verifier.draining.aborted) return false;
    const batches = batchesOf(wave, maxReadBatch);
    const answers = await Promise.all(batches.map((batch) => readBatch(verifier, batch)));
    if (!(await endWave(verifier.lane, verifier.gate, answers))) return false;
  }
  return true;
}

/** Reads back at most `maxReadBatch` accepted or unknown actions and decides; records nothing. */
export async function readBatch(verifier: Verifier, batch: readonly Action[]): Promise<Answer> {
  const { type } = verifier;
  const policy = policyOf(verifier);
  const why = type.unverifiable;
  const told = (action: Action, move: Move): Move => {
    verifier.onVerdict(action, move);
    return move;
  };
  if (why !== undefined) {
    const moves = batch.map((action) => told(action, decideUnverifiable(action, why, policy)));
    return { moves, calls: [] };
  }
  const started = performance.now();
  const items = batch.map((action) => ({
    key: action.key,
    id: action.external_id ?? undefined,
    locator: action.locator ?? {},
    parentId: action.locator?.parent,
    fields: Object.keys(action.sent ?? {}),
  }));
  const readings = await readItems(verifier, items);
  const call = endedCall('read', started);
  const moves = batch.map((action) => {
    const reading = readings.get(action.key) ?? unmentioned;
    const sent = action.sent ?? {};
    const differing =
      reading.kind === 'found'
        ? differingFields(sent, reading.fields, Object.keys(sent), type.canonical)
        : [];
    return told(action, decideReading(action, reading, differing, policy, call));
  });
  return { moves, calls: [[...readings.values()]] };
}

function policyOf({ destination, type, call }: Verifier): VerifyPolicy {
  return {
    idempotency: type.idempotency,
    lagMs: destination.verify.lagMs ?? type.lagMs,
    withinMs: destination.verify.withinMs,
    maxAttempts: destination.maxAttempts,
    underWayMs: intentLifeMs(call.timeoutMs) + call.timeoutMs,
  };
}

/** Results map by id (rule 7): what the answer does not name is not known. */
export const unmentioned: Reading = { kind: 'failed', reason: 'the answer did not mention this record' };

/** Asks the destination for one batch. What it could not be asked comes back as the reason, for every item. */
export async function readItems(
  { client, destination, call }: Pick<Verifier, 'client' | 'destination' | 'call'>,
  items: ReadItem[],
): Promise<Map<string, Reading>> {
  try {
    return await client.read(destination.action, destination.options, items, call);
  } catch (error) {
    const reading: Reading =
      error instanceof NotSent
        ? error.outcome
        : { kind: 'failed', reason: `the connector failed: ${(error as Error).message}` };
    return new Map(items.map((item) => [item.key, reading]));
  }
}
