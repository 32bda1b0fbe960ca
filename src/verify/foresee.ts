import { setTimeout as sleep } from 'node:timers/promises';
import type { Reading } from '../connectors/connector.ts';
import type { ConnectionGate } from '../ledger/connection.ts';
import type { Intent } from '../ledger/lane.ts';
import { batchesOf } from '../ledger/wave.ts';
import { differingFields } from './compare.ts';
import { readItems, unmentioned, type Verifier } from './verify.ts';

/** What a write would do, as far as the destination's own answer tells. */
export type Foreseen =
  | { effect: 'create' | 'no_change' }
  /** The fields that do not hold what would be sent. */
  | { effect: 'update'; fields: string[] }
  /** `answered` false: not this time, because the destination was not reached or did not answer properly. */
  | { effect: 'unknown'; reason: string; answered: boolean };

export type Asker = Pick<Verifier, 'client' | 'destination' | 'type' | 'call'> & { gate: ConnectionGate };

/** A budget that is used up or a 429 is waited for this long; a plan is not worth more. */
const patienceMs = 60_000;

/** Reads what the destination holds of each record that would be written, and compares. Writes nothing. */
export async function foresee(
  asker: Asker,
  intents: readonly Intent[],
  onAnswered: (intents: number) => void,
): Promise<Map<string, Foreseen>> {
  const { maxReadBatch, concurrency } = asker.type;
  const foreseen = new Map<string, Foreseen>();
  for (const wave of batchesOf(intents, maxReadBatch * concurrency)) {
    await Promise.all(
      batchesOf(wave, maxReadBatch).map(async (batch) => {
        const readings = await ask(asker, batch);
        for (const intent of batch) {
          foreseen.set(intent.key, compared(asker, intent, readings.get(intent.key) ?? unmentioned));
        }
        onAnswered(batch.length);
      }),
    );
  }
  return foreseen;
}

/** One batch, asked again while the connection only wants time. */
async function ask(asker: Asker, batch: readonly Intent[]): Promise<Map<string, Reading>> {
  const items = batch.map(({ key, locator, sent }) => ({
    key,
    id: undefined,
    locator,
    parentId: locator.parent,
    fields: Object.keys(sent),
  }));
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const readings = await readItems(asker, items);
    await asker.gate.learn([...readings.values()]);
    const throttled = [...readings.values()].find((reading) => reading.kind === 'throttled');
    const pauseMs = Math.max(100, throttled?.retryAfterMs ?? 5_000);
    if (!throttled || performance.now() + pauseMs > deadline) return readings;
    await sleep(pauseMs, undefined, { signal: asker.call.signal });
  }
}

function compared({ type }: Asker, { sent }: Intent, reading: Reading): Foreseen {
  if (reading.kind === 'absent') return { effect: 'create' };
  if (reading.kind !== 'found')
    return { effect: 'unknown', reason: reading.reason, answered: reading.kind === 'unreadable' };
  const fields = differingFields(sent, reading.fields, Object.keys(sent), type.canonical);
  return fields.length > 0 ? { effect: 'update', fields } : { effect: 'no_change' };
}
