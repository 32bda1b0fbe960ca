import { Reader, write } from './sandbox-wire.ts';

/** A batch of version 2, as producers send it and brokers keep it (https://kafka.apache.org/documentation/#recordbatch). */
export interface Batch {
  lastOffsetDelta: number;
  attributes: number;
  firstTimestamp: bigint;
  maxTimestamp: bigint;
  records: BatchRecord[];
}

export interface BatchRecord {
  offsetDelta: number;
  timestampDelta: number;
  key: Buffer | null;
  value: Buffer | null;
  headers: [name: string, value: string][];
}

/** @throws RangeError where the bytes are not one whole batch with the right checksum */
export function readBatch(bytes: Buffer): Batch {
  const reader = new Reader(bytes);
  reader.int64(); // base offset: the broker's to give
  if (reader.int32() !== reader.left) throw new RangeError('not one batch');
  reader.int32(); // leader epoch
  if (reader.int8() !== 2) throw new RangeError('not of version 2');
  const checksum = reader.uint32();
  if (checksum !== crc32c(bytes.subarray(bytes.length - reader.left))) throw new RangeError('wrong checksum');
  const attributes = reader.int16();
  const lastOffsetDelta = reader.int32();
  const [firstTimestamp, maxTimestamp] = [reader.int64(), reader.int64()];
  reader.take(8 + 2 + 4); // producer id, epoch and sequence
  const records = reader.list(() => readRecord(reader));
  if (reader.left > 0) throw new RangeError('more than its records');
  return { attributes, lastOffsetDelta, firstTimestamp, maxTimestamp, records };
}

function readRecord(batch: Reader): BatchRecord {
  const reader = new Reader(batch.take(batch.varint()));
  reader.int8(); // attributes
  const timestampDelta = reader.varint();
  const offsetDelta = reader.varint();
  const [key, value] = [reader.shortBytes(), reader.shortBytes()];
  const headers = Array.from({ length: reader.varint() }, (): [string, string] => {
    return [String(reader.shortBytes()), String(reader.shortBytes())];
  });
  if (reader.left > 0) throw new RangeError('more than a record');
  return { timestampDelta, offsetDelta, key, value, headers };
}

/** Only what a broker writes anew: what was compacted, and what a sandbox has altered. */
export function writeBatch({
  attributes,
  lastOffsetDelta,
  firstTimestamp,
  maxTimestamp,
  records,
}: Batch): Buffer {
  const noProducer = [write.int64(-1), write.int16(-1), write.int32(-1)];
  const body = Buffer.concat([
    write.int16(attributes),
    write.int32(lastOffsetDelta),
    write.int64(firstTimestamp),
    write.int64(maxTimestamp),
    ...noProducer,
    write.list(records, (record) => [writeRecord(record)]),
  ]);
  const checked = [write.int32(0), write.int8(2), write.uint32(crc32c(body)), body];
  return Buffer.concat([write.int64(0), write.bytes(Buffer.concat(checked))]);
}

function writeRecord({ timestampDelta, offsetDelta, key, value, headers }: BatchRecord): Buffer {
  const pieces = [
    write.int8(0),
    write.varint(timestampDelta),
    write.varint(offsetDelta),
    write.shortBytes(key),
    write.shortBytes(value),
    write.varint(headers.length),
    ...headers.flat().map((text) => write.shortBytes(Buffer.from(text))),
  ];
  return write.shortBytes(Buffer.concat(pieces));
}

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

/** Castagnoli's checksum (RFC 3720, B.4), which Node.js does not have. */
export function crc32c(bytes: Buffer): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = (table[(value ^ byte) & 255] ?? 0) ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}
