import type { Signal } from '../config/model.ts';
import { encodeEntity } from '../ledger/entity.ts';
import type { Value, Warehouse } from '../warehouses/warehouse.ts';
import { bucketCount } from './digest.ts';
import { signalQuery } from './poll.ts';

export interface Member {
  /** Null: a part of its key is. */
  entity: string | null;
  /** Whether `when` holds; otherwise `rearm` has not disarmed it. */
  armed: boolean;
  fingerprint: string;
  observedAt: Value;
}

/** The members of a signal as a poll reads them, one by one. Who stops early does not read the rest. */
export async function* readMembers(signal: Signal, warehouse: Warehouse): AsyncGenerator<Member> {
  const read = { timeoutMs: signal.timeoutMs, label: signal.name };
  const query = await signalQuery(signal, warehouse, read);
  for await (const batch of warehouse.read(warehouse.members(query, bucketCount), read)) {
    for (const [, armed, fingerprint, , observedAt = null, ...key] of batch)
      yield {
        entity: encodeEntity(key),
        armed: armed === 'true',
        fingerprint: fingerprint ?? '',
        observedAt,
      };
  }
}
