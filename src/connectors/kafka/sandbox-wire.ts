/** Reads the protocol's primitive types (https://kafka.apache.org/protocol#protocol_types). */
export class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  int8 = () => this.#bytes.readInt8(this.#skip(1));
  int16 = () => this.#bytes.readInt16BE(this.#skip(2));
  int32 = () => this.#bytes.readInt32BE(this.#skip(4));
  uint32 = () => this.#bytes.readUInt32BE(this.#skip(4));
  int64 = () => this.#bytes.readBigInt64BE(this.#skip(8));

  /** Base 128, least first, signs folded in. */
  varint = (): number => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#bytes.readUInt8(this.#skip(1));
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number((value >> 1n) ^ -(value & 1n));
    }
  };

  string = (): string => this.take(Math.max(0, this.int16())).toString();
  bytes = (): Buffer => this.take(Math.max(0, this.int32()));
  shortBytes = (): Buffer | null => {
    const length = this.varint();
    return length < 0 ? null : this.take(length);
  };

  list<Item>(read: () => Item): Item[] {
    return Array.from({ length: Math.max(0, this.int32()) }, read);
  }

  take(length: number): Buffer {
    const start = this.#skip(length);
    if (start + length > this.#bytes.length) throw new RangeError('cut off');
    return this.#bytes.subarray(start, start + length);
  }

  #skip(length: number): number {
    this.#at += length;
    return this.#at - length;
  }
}

/** Writes them, each as its own piece. */
export const write = {
  int8: (value: number) => sized(1, (bytes) => bytes.writeInt8(value)),
  int16: (value: number) => sized(2, (bytes) => bytes.writeInt16BE(value)),
  int32: (value: number) => sized(4, (bytes) => bytes.writeInt32BE(value)),
  uint32: (value: number) => sized(4, (bytes) => bytes.writeUInt32BE(value)),
  int64: (value: bigint | number) => sized(8, (bytes) => bytes.writeBigInt64BE(BigInt(value))),
  varint(value: number): Buffer {
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
    for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
    return Buffer.from([...bytes, Number(rest)]);
  },
  string: (text: string) => Buffer.concat([write.int16(Buffer.byteLength(text)), Buffer.from(text)]),
  nothing: () => write.int16(-1),
  bytes: (bytes: Buffer) => Buffer.concat([write.int32(bytes.length), bytes]),
  shortBytes: (bytes: Buffer | null) =>
    bytes ? Buffer.concat([write.varint(bytes.length), bytes]) : write.varint(-1),
  list: <Item>(items: readonly Item[], one: (item: Item) => Buffer[]) =>
    Buffer.concat([write.int32(items.length), ...items.flatMap(one)]),
};

function sized(length: number, fill: (bytes: Buffer) => unknown): Buffer {
  const bytes = Buffer.alloc(length);
  fill(bytes);
  return bytes;
}
