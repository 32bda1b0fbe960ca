import type { SandboxRecord } from '../connector.ts';
import type { Faults } from '../sandbox.ts';
import { placeId } from './partition.ts';
import { type Batch, type BatchRecord, readBatch, writeBatch } from './sandbox-batch.ts';

interface Kept extends Batch {
  base: bigint;
  bytes: Buffer;
}

/** What a partition says to records. An error has no offset. */
export interface Appended {
  errorCode: number;
  baseOffset: bigint;
}

/** The default of `max.message.bytes`, for a batch. */
const maxBatchBytes = 1_048_588;

const corrupt = 2;
const tooLarge = 10;
const invalidRecord = 87;

/** One partition in memory. A broker keeps batches as producers sent them; only their offset is its own. */
export class SandboxPartition {
  readonly #topic: string;
  readonly #partition: number;
  readonly #isCompacted: boolean;
  readonly #faults: Faults;
  /** What was refused once is bad, however it is sent again. */
  readonly #bad = new Set<string>();
  #batches: Kept[] = [];
  logStart: bigint;
  end: bigint;

  constructor(
    place: { topic: string; partition: number; from: bigint; isCompacted: boolean },
    faults: Faults,
  ) {
    this.#topic = place.topic;
    this.#partition = place.partition;
    this.#isCompacted = place.isCompacted;
    this.#faults = faults;
    this.logStart = place.from;
    this.end = place.from;
  }

  /** Stores a batch, whole or not at all. */
  append(bytes: Buffer): Appended {
    const refused = (errorCode: number) => ({ errorCode, baseOffset: -1n });
    let batch: Batch;
    try {
      batch = readBatch(bytes);
    } catch {
      return refused(corrupt);
    }
    if (bytes.length > maxBatchBytes) return refused(tooLarge);
    for (const record of batch.records)
      if (this.#faults.take('reject_item', () => textOf(record))) this.#bad.add(textOf(record));
    if (batch.records.some((record) => this.#bad.has(textOf(record)))) return refused(invalidRecord);
    if (this.#isCompacted && batch.records.some(({ key }) => key === null)) return refused(invalidRecord);
    const base = this.end;
    if (batch.records.some((record) => this.#faults.take('accept_without_write', () => textOf(record))))
      return { errorCode: 0, baseOffset: base };
    this.#keep(base, this.#altered(batch) ?? { ...batch, bytes });
    this.end = base + BigInt(batch.lastOffsetDelta) + 1n;
    if (this.#isCompacted) this.#compact(batch.records);
    return { errorCode: 0, baseOffset: base };
  }

  #keep(base: bigint, kept: Batch & { bytes: Buffer }): void {
    const bytes = Buffer.from(kept.bytes);
    bytes.writeBigInt64BE(base);
    this.#batches.push({ ...kept, base, bytes });
  }

  /** A broker changes no value; what copies topics between clusters might. */
  #altered(batch: Batch): (Batch & { bytes: Buffer }) | undefined {
    const records = batch.records.map((record) => {
      const text = () => textOf(record);
      const value = JSON.parse(record.value?.toString() ?? '{}');
      if (this.#faults.take('normalise', text))
        return { ...record, value: Buffer.from(JSON.stringify(value, null, 2)) };
      if (!this.#faults.take('alter', text)) return record;
      const altered = 'specversion' in value ? { ...value, type: 'altered' } : { altered: 'altered' };
      return { ...record, value: Buffer.from(JSON.stringify(altered)) };
    });
    if (records.every((record, n) => record === batch.records[n])) return undefined;
    const other = { ...batch, records };
    return { ...other, bytes: writeBatch(other) };
  }

  /** As the log cleaner does, but at once: of each key the last record is left, and batches keep their borders. */
  #compact(newest: BatchRecord[]): void {
    const keys = new Set(newest.map(({ key }) => String(key)));
    const last = this.#batches.at(-1);
    this.#batches = this.#batches.flatMap((batch) => {
      const records = batch.records.filter(({ key }) => batch === last || !keys.has(String(key)));
      if (records.length === batch.records.length) return [batch];
      if (records.length === 0) return [];
      const bytes = writeBatch({ ...batch, records });
      bytes.writeBigInt64BE(batch.base);
      return [{ ...batch, records, bytes }];
    });
  }

  /** Deletes what is before an offset, as retention does, or who asks for it. */
  deleteBefore(offset: bigint): bigint {
    this.logStart = offset < 0n ? this.end : offset;
    this.#batches = this.#batches.filter((batch) => lastOf(batch) >= this.logStart);
    return this.logStart;
  }

  /** @param isStale as before the last batch */
  read(from: bigint, maxBytes: number, isStale: boolean): { end: bigint; records: Buffer } {
    const batches = isStale ? this.#batches.slice(0, -1) : this.#batches;
    const end = isStale ? (this.#batches.at(-1)?.base ?? this.end) : this.end;
    const wanted = batches.filter((batch) => lastOf(batch) >= from);
    // Cut off where it is full, but never within the first batch.
    const records = Buffer.concat(wanted.map(({ bytes }) => bytes));
    return { end, records: records.subarray(0, Math.max(maxBytes, wanted[0]?.bytes.length ?? 0)) };
  }

  /** The first offset of a time, -1 for the end and -2 for the start of what there is. */
  offsetAt(timestamp: bigint, isStale: boolean): bigint {
    if (timestamp === -2n) return this.logStart;
    if (timestamp === -1n) return this.read(0n, 0, isStale).end;
    const batches = isStale ? this.#batches.slice(0, -1) : this.#batches;
    for (const { base, firstTimestamp, records } of batches)
      for (const { timestampDelta, offsetDelta } of records)
        if (firstTimestamp + BigInt(timestampDelta) >= timestamp) return base + BigInt(offsetDelta);
    return -1n;
  }

  records(): SandboxRecord[] {
    const place = { topic: this.#topic, partition: this.#partition };
    return this.#batches.flatMap(({ base, records }) =>
      records.map(({ offsetDelta, key, value, headers }) => ({
        id: placeId({ ...place, offset: base + BigInt(offsetDelta) }),
        type: 'records',
        fields: { key: String(key), headers: Object.fromEntries(headers), value: JSON.parse(String(value)) },
        writes: 1,
      })),
    );
  }
}

function lastOf({ base, lastOffsetDelta }: Kept): bigint {
  return base + BigInt(lastOffsetDelta);
}

/** What a fault's `match` is looked for in. */
export function textOf({ key, value, headers }: BatchRecord): string {
  return [key, ...headers.flat(), value].join('\n');
}
