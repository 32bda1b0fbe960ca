import Decoder from 'kafkajs/src/protocol/decoder.js';
import decodeBatch from 'kafkajs/src/protocol/recordBatch/v0/decoder.js';

/** A record as a partition holds it. */
export interface FetchedRecord {
  offset: bigint;
  /** Milliseconds since 1970: when it was sent, or when it was stored, as the topic says. */
  timestamp: number;
  key: Buffer | null;
  value: Buffer | null;
  headers: Record<string, string>;
}

/** A batch of records, which were stored together. */
export interface FetchedBatch {
  first: bigint;
  last: bigint;
  records: FetchedRecord[];
  /** Of none of its offsets the record was removed: by compaction, which keeps the batch's borders. */
  isWhole: boolean;
  /** The codec that is not known here; then its records are not, either. */
  codec?: string;
}

/** What a broker holds of one partition, from an offset on. */
export interface FetchedPartition {
  partition: number;
  errorCode: number;
  /** The first offset that is not there yet for those who read; -1 beside an error. */
  highWatermark: bigint;
  batches: FetchedBatch[];
}

export interface Fetched {
  throttleMs: number;
  errorCode: number;
  partitions: FetchedPartition[];
}

/**
 * Reads the answer to a Fetch of version 11. The library's own reading drops the borders of batches, without which a record
 * that compaction removed looks like one that never was.
 */
export async function decodeFetched(raw: Buffer): Promise<Fetched> {
  const decoder = new Decoder(raw);
  const throttleMs = decoder.readInt32();
  const errorCode = decoder.readInt16();
  decoder.readInt32(); // session
  const topics = decoder.readArray(() => {
    decoder.readString();
    return decoder.readArray(partitionOf);
  });
  const partitions = topics.flat().map(async ({ records, ...head }) => ({
    ...head,
    batches: await batchesOf(records),
  }));
  return { throttleMs, errorCode, partitions: await Promise.all(partitions) };
}

function partitionOf(decoder: Decoder) {
  const partition = decoder.readInt32();
  const errorCode = decoder.readInt16();
  const highWatermark = decoder.readInt64();
  decoder.readInt64(); // last stable offset
  decoder.readInt64(); // start of the log
  decoder.readArray(() => [decoder.readInt64(), decoder.readInt64()]); // aborted transactions
  decoder.readInt32(); // preferred read replica
  return { partition, errorCode, highWatermark, records: decoder.readBytes() ?? Buffer.alloc(0) };
}

const head = { length: 8, magic: 16, attributes: 21, lastOffsetDelta: 23, bytes: 61 };
const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
const known = 2;
const controlBatch = 0x20;

/** The last batch may be cut off where the answer is full: it comes with the next one. */
async function batchesOf(bytes: Buffer): Promise<FetchedBatch[]> {
  const batches: FetchedBatch[] = [];
  for (let at = 0; bytes.length - at >= head.bytes; ) {
    const end = at + 12 + bytes.readInt32BE(at + head.length);
    if (end > bytes.length || end <= at) break;
    batches.push(await batchOf(bytes.subarray(at, end)));
    at = end;
  }
  return batches;
}

async function batchOf(bytes: Buffer): Promise<FetchedBatch> {
  const first = bytes.readBigInt64BE(0);
  const magic = bytes.readInt8(head.magic);
  // Written by a client older than Kafka 0.11, and never converted.
  if (magic !== 2)
    return { first, last: first, records: [], isWhole: false, codec: `message format ${magic}` };
  const last = first + BigInt(bytes.readInt32BE(head.lastOffsetDelta));
  const attributes = bytes.readInt16BE(head.attributes);
  const codec = attributes & 7;
  if (codec >= known)
    return { first, last, records: [], isWhole: false, codec: codecs[codec] ?? `codec ${codec}` };
  // A marker of a transaction takes an offset and is no record.
  if ((attributes & controlBatch) > 0) return { first, last, records: [], isWhole: true };
  const { records } = await decodeBatch(new Decoder(bytes));
  return {
    first,
    last,
    records: records.map(recordOf),
    isWhole: BigInt(records.length) === last - first + 1n,
  };
}

function recordOf({
  offset,
  timestamp,
  key,
  value,
  headers,
}: Awaited<ReturnType<typeof decodeBatch>>['records'][number]) {
  const texts = Object.entries(headers).map(([name, value]) => {
    const one = Array.isArray(value) ? value.at(-1) : value;
    return [name, one?.toString() ?? ''];
  });
  return {
    offset: BigInt(offset),
    timestamp: Number(timestamp),
    key,
    value,
    headers: Object.fromEntries(texts),
  };
}
