import type { Destination } from '../config/model.ts';
import {
  type ActionType,
  type CallOptions,
  type Client,
  NotSent,
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
  if (why !== undefined) return { moves: batch.map((action) => unasked(verifier, action, why)), calls: [] };
  const started = performance.now();
  const readings = await read(verifier, batch);
  const call = endedCall('read', started);
  const moves = batch.map((action) => {
    const reading = readings.get(action.key) ?? unmentioned;
    const sent = action.sent ?? {};
    const differing =
      reading.kind === 'found'
        ? differingFields(sent, reading.fields, Object.keys(sent), type.canonical)
        : [];
    const move = decideReading(action, reading, differing, policy, call);
    verifier.onVerdict(action, move);
    return move;
  });
  return { moves, calls: [[...readings.values()]] };
}

function unasked(verifier: Verifier, action: Action, why: string): Move {
  const move = decideUnverifiable(action, why, policyOf(verifier));
  verifier.onVerdict(action, move);
  return move;
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

const unmentioned: Reading = { kind: 'failed', reason: 'the answer did not mention this record' };

async function read(verifier: Verifier, batch: readonly Action[]): Promise<Map<string, Reading>> {
  const { client, destination } = verifier;
  const items = batch.map((action) => ({
    key: action.key,
    id: action.external_id ?? undefined,
    locator: action.locator ?? {},
    parentId: action.locator?.parent,
    fields: Object.keys(action.sent ?? {}),
  }));
  try {
    return await client.read(destination.action, destination.options, items, verifier.call);
  } catch (error) {
    const reading: Reading =
      error instanceof NotSent
        ? error.outcome
        : { kind: 'failed', reason: `the connector failed: ${(error as Error).message}` };
    return new Map(batch.map((action) => [action.key, reading]));
  }
}
