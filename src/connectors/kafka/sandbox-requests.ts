import {
  type ApiName,
  type ByTopic,
  deleted,
  errors,
  fetched,
  metadata,
  type Node,
  offsets,
  produced,
  type TopicLayout,
} from './sandbox-answers.ts';
import { readBatch } from './sandbox-batch.ts';
import { type Appended, type SandboxPartition, textOf } from './sandbox-log.ts';
import type { Reader } from './sandbox-wire.ts';

/** A partition that a request names. */
export interface Wanted {
  topic: string;
  partition: number;
}

/** What a request is answered from. */
export interface Cluster {
  readonly nodes: Node[];
  /** Of all topics when none is named. */
  layouts(topics: string[]): TopicLayout[];
  /** A partition of those that a broker leads, or the error that says why not. */
  partition(node: number, wanted: Wanted): SandboxPartition | number;
}

/** A request that was read, and how it is answered: with what there is, or with an error for each thing it names. */
export interface Asked {
  topics: string[];
  text(): string;
  answer(cluster: Cluster, node: number, throttleMs: number, isStale: boolean): Buffer;
  refused(errorCode: number, throttleMs: number): Buffer;
}

/** Reads a request of one of those kinds, in the one version that is understood. */
export function requestOf(name: ApiName, body: Reader): Asked {
  if (name === 'Metadata') return metadataAsked(body);
  if (name === 'Produce') return produceAsked(body);
  if (name === 'Fetch') return fetchAsked(body);
  if (name === 'ListOffsets') return offsetsAsked(body);
  return deletionAsked(body);
}

function metadataAsked(body: Reader): Asked {
  const names = body.list(body.string);
  return {
    topics: names,
    text: () => '',
    answer: (cluster, _node, throttleMs) => metadata(throttleMs, cluster.nodes, cluster.layouts(names)),
    refused: (errorCode, throttleMs) =>
      metadata(
        throttleMs,
        [],
        names.map((topic) => ({ topic, errorCode, leaders: [] })),
      ),
  };
}

function produceAsked(body: Reader): Asked {
  body.string(); // transaction
  const acks = body.int16();
  body.int32(); // timeout
  const wanted = partitionsOf(body, () => ({ bytes: body.bytes() }));
  const each = (say: (one: Wanted & { bytes: Buffer }) => Appended) => everywhere(wanted, say);
  return {
    ...nameOf(wanted),
    text: () => wanted.flatMap(({ partitions }) => partitions.map(({ bytes }) => readable(bytes))).join('\n'),
    answer: (cluster, node, throttleMs) => {
      if (acks !== -1) throw new Error('asked for less than all replicas');
      const stored = each((one) => {
        const partition = cluster.partition(node, one);
        return typeof partition === 'number'
          ? { errorCode: partition, baseOffset: -1n }
          : partition.append(one.bytes);
      });
      return produced(throttleMs, stored);
    },
    refused: (errorCode, throttleMs) =>
      produced(
        throttleMs,
        each(() => ({ errorCode, baseOffset: -1n })),
      ),
  };
}

function readable(bytes: Buffer): string {
  try {
    return readBatch(bytes).records.map(textOf).join('\n');
  } catch {
    return '';
  }
}

function fetchAsked(body: Reader): Asked {
  body.take(4 + 4 + 4); // replica, longest wait, fewest bytes
  body.take(4 + 1 + 4 + 4); // most bytes, isolation, session
  const wanted = partitionsOf(body, () => {
    body.int32(); // epoch of the leader
    const from = body.int64();
    body.int64(); // start of a follower's log
    return { from, maxBytes: body.int32() };
  });
  const unknown = { end: -1n, logStart: -1n, records: Buffer.alloc(0) };
  return {
    ...nameOf(wanted),
    text: () => '',
    answer: (cluster, node, throttleMs, isStale) => {
      const held = everywhere(wanted, (one) => {
        const partition = cluster.partition(node, one);
        if (typeof partition === 'number') return { errorCode: partition, ...unknown };
        if (one.from < partition.logStart || one.from > partition.end)
          return { errorCode: errors.outOfRange, ...unknown };
        const { logStart } = partition;
        return { errorCode: 0, logStart, ...partition.read(one.from, one.maxBytes, isStale) };
      });
      return fetched(throttleMs, held);
    },
    refused: (errorCode, throttleMs) =>
      fetched(
        throttleMs,
        everywhere(wanted, () => ({ errorCode, ...unknown })),
      ),
  };
}

function offsetsAsked(body: Reader): Asked {
  body.take(4 + 1); // replica, isolation
  const wanted = partitionsOf(body, () => ({ timestamp: body.int64() }));
  return {
    ...nameOf(wanted),
    text: () => '',
    answer: (cluster, node, throttleMs, isStale) => {
      const told = everywhere(wanted, (one) => {
        const partition = cluster.partition(node, one);
        return typeof partition === 'number'
          ? { errorCode: partition, offset: -1n }
          : { errorCode: 0, offset: partition.offsetAt(one.timestamp, isStale) };
      });
      return offsets(throttleMs, told);
    },
    refused: (errorCode, throttleMs) =>
      offsets(
        throttleMs,
        everywhere(wanted, () => ({ errorCode, offset: -1n })),
      ),
  };
}

/** What an operator asks for (`kafka-delete-records.sh`). */
function deletionAsked(body: Reader): Asked {
  const wanted = partitionsOf(body, () => ({ before: body.int64() }));
  const answer = (say: (one: Wanted & { before: bigint }) => bigint) =>
    deleted(everywhere(wanted, (one) => ({ logStart: say(one) })));
  return {
    ...nameOf(wanted),
    text: () => '',
    answer: (cluster, node) =>
      answer((one) => {
        const partition = cluster.partition(node, one);
        return typeof partition === 'number' ? -1n : partition.deleteBefore(one.before);
      }),
    refused: () => answer(() => -1n),
  };
}

function partitionsOf<More>(body: Reader, more: () => More): ByTopic<More> {
  return body.list(() => ({
    topic: body.string(),
    partitions: body.list(() => ({ partition: body.int32(), ...more() })),
  }));
}

function nameOf(wanted: ByTopic<unknown>): { topics: string[] } {
  return { topics: wanted.map(({ topic }) => topic) };
}

function everywhere<More, Said>(wanted: ByTopic<More>, say: (one: Wanted & More) => Said): ByTopic<Said> {
  return wanted.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map((one) => ({ partition: one.partition, ...say({ ...one, topic }) })),
  }));
}
