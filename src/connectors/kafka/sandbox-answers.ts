import type { Appended } from './sandbox-log.ts';
import { write } from './sandbox-wire.ts';

/** The requests that are understood, each in the newest version that our client speaks (and what its admin asks with). */
export const apis = {
  Produce: { key: 0, min: 7, max: 7 },
  Fetch: { key: 1, min: 11, max: 11 },
  ListOffsets: { key: 2, min: 3, max: 3 },
  Metadata: { key: 3, min: 6, max: 6 },
  SaslHandshake: { key: 17, min: 1, max: 1 },
  ApiVersions: { key: 18, min: 0, max: 2 },
  DeleteRecords: { key: 21, min: 1, max: 1 },
  SaslAuthenticate: { key: 36, min: 1, max: 1 },
} as const;
export type ApiName = keyof typeof apis;

const unsupportedVersion = 35;

/** The errors that are told, of some 130. */
export const errors = { unknown: -1, outOfRange: 1, unknownTopic: 3, notLeader: 6, quotaExceeded: 89 };

export function apiVersions(version: number): Buffer {
  const isKnown = version <= apis.ApiVersions.max;
  const ranges = write.list(Object.values(apis), ({ key, min, max }) => [key, min, max].map(write.int16));
  const throttle = version > 0 && isKnown ? [write.int32(0)] : [];
  // A version that is not known is answered in the oldest form (KIP-511).
  return Buffer.concat([write.int16(isKnown ? 0 : unsupportedVersion), ranges, ...throttle]);
}

export interface Node {
  id: number;
  host: string;
  port: number;
}

export interface TopicLayout {
  topic: string;
  errorCode: number;
  /** The leader of each partition. */
  leaders: number[];
}

export function metadata(throttleMs: number, nodes: Node[], topics: TopicLayout[]): Buffer {
  return Buffer.concat([
    write.int32(throttleMs),
    write.list(nodes, ({ id, host, port }) => [
      write.int32(id),
      write.string(host),
      write.int32(port),
      write.nothing(),
    ]),
    write.string('sandbox'),
    write.int32(0),
    write.list(topics, ({ topic, errorCode, leaders }) => [
      write.int16(errorCode),
      write.string(topic),
      write.int8(0),
      write.list([...leaders.entries()], ([partition, leader]) => {
        const replicas = write.list([leader], (id) => [write.int32(id)]);
        const none = write.list([], () => []);
        return [write.int16(0), write.int32(partition), write.int32(leader), replicas, replicas, none];
      }),
    ]),
  ]);
}

/** What is said of the partitions of topics. */
export type ByTopic<Said> = { topic: string; partitions: ({ partition: number } & Said)[] }[];

function byTopic<Said>(topics: ByTopic<Said>, say: (said: Said) => Buffer[]): Buffer {
  return write.list(topics, ({ topic, partitions }) => [
    write.string(topic),
    write.list(partitions, (said) => [write.int32(said.partition), ...say(said)]),
  ]);
}

export function produced(throttleMs: number, topics: ByTopic<Appended>): Buffer {
  const none = write.int64(-1);
  const said = byTopic(topics, ({ errorCode, baseOffset }) => [
    write.int16(errorCode),
    write.int64(baseOffset),
    none, // log append time
    none, // log start
  ]);
  return Buffer.concat([said, write.int32(throttleMs)]);
}

export interface Held {
  errorCode: number;
  end: bigint;
  logStart: bigint;
  records: Buffer;
}

export function fetched(throttleMs: number, topics: ByTopic<Held>): Buffer {
  const said = byTopic(topics, ({ errorCode, end, logStart, records }) => [
    write.int16(errorCode),
    write.int64(end),
    write.int64(end),
    write.int64(logStart),
    write.int32(-1), // aborted transactions
    write.int32(-1), // preferred read replica
    write.bytes(records),
  ]);
  return Buffer.concat([write.int32(throttleMs), write.int16(0), write.int32(0), said]);
}

export function offsets(throttleMs: number, topics: ByTopic<{ errorCode: number; offset: bigint }>): Buffer {
  const said = byTopic(topics, ({ errorCode, offset }) => [
    write.int16(errorCode),
    write.int64(-1),
    write.int64(offset),
  ]);
  return Buffer.concat([write.int32(throttleMs), said]);
}

export function deleted(topics: ByTopic<{ logStart: bigint }>): Buffer {
  const said = byTopic(topics, ({ logStart }) => [write.int64(logStart), write.int16(0)]);
  return Buffer.concat([write.int32(0), said]);
}
