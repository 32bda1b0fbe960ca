const seed = 0x9747b28c;
const multiplier = 0x5bd1e995;

/** The hash by which Kafka's own producers choose a partition: murmur2, 32 bits, without the sign. */
export function slotOf(key: string): number {
  const data = Buffer.from(key);
  const whole = data.length & ~3;
  let hash = seed ^ data.length;
  for (let index = 0; index < whole; index += 4) {
    let four = Math.imul(data.readInt32LE(index), multiplier);
    four = Math.imul(four ^ (four >>> 24), multiplier);
    hash = Math.imul(hash, multiplier) ^ four;
  }
  if (whole < data.length) {
    hash ^= data.readUIntLE(whole, data.length - whole);
    hash = Math.imul(hash, multiplier);
  }
  hash = Math.imul(hash ^ (hash >>> 13), multiplier);
  return (hash ^ (hash >>> 15)) & 0x7fffffff;
}

/** Where a record is stored. Offsets have 64 bits, more than a number holds exactly. */
export interface Place {
  topic: string;
  partition: number;
  offset: bigint;
}

/** A place as an action's id: `customers:3:42`. */
export function placeId({ topic, partition, offset }: Place): string {
  return `${topic}:${partition}:${offset}`;
}

/** Undefined where there is no id, or none of ours. */
export function placeOf(id: string | undefined): Place | undefined {
  const [, topic, partition, offset] = /^([\w.-]+):(\d+):(\d+)$/.exec(id ?? '') ?? [];
  if (topic === undefined || offset === undefined) return undefined;
  return { topic, partition: Number(partition), offset: BigInt(offset) };
}
