import { requests } from 'kafkajs/src/protocol/requests/index.js';
import { decodeFetched, type Fetched } from './fetched.ts';
import { type Protocol, versions } from './line.ts';
import type { Message } from './message.ts';

/** A request, and how its answer is read. */
export interface Form<Answer> {
  protocol: Protocol;
  /** Every error that the answer names. */
  codesOf(answer: Answer): number[];
  readonly answer?: Answer;
}

export interface Answered {
  throttleMs: number;
}

interface PartitionAnswer {
  partition: number;
  errorCode: number;
}

const fetchBytes = { whole: 8 * 1024 * 1024, partition: 2 * 1024 * 1024 };
const allReplicas = -1;
const ourselves = -1;
/** Read all that is stored. Ours is in no transaction, and an open one of others must not hide it. */
const uncommitted = 0;

/** Topics are not made by asking for them. */
export function metadataForm(topic: string) {
  const asked = requests.Metadata.protocol({ version: versions.Metadata })({
    topics: [topic],
    allowAutoTopicCreation: false,
  });
  return formOf(
    asked,
    ({ brokers, topicMetadata }: MetadataAnswer) => ({
      brokers: new Map(brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }])),
      topics: topicMetadata.map(({ topicErrorCode: code, topic, partitionMetadata: partitions }) => ({
        code,
        topic,
        partitions,
      })),
    }),
    ({ topics }) => topics.map(({ code }) => code),
  );
}

interface MetadataAnswer {
  brokers: { nodeId: number; host: string; port: number }[];
  topicMetadata: {
    topicErrorCode: number;
    topic: string;
    partitionMetadata: { partitionId: number; leader: number }[];
  }[];
}

/** @param waitMs how long the leader waits for its replicas before it says that it did in vain */
export function produceForm(topic: string, records: ReadonlyMap<number, Message[]>, waitMs: number) {
  const asked = requests.Produce.protocol({ version: versions.Produce })({
    acks: allReplicas,
    timeout: waitMs,
    compression: 0,
    topicData: [
      { topic, partitions: [...records].map(([partition, messages]) => ({ partition, messages })) },
    ],
  });
  return formOf(
    asked,
    ({ topics }: { topics: { partitions: (PartitionAnswer & { baseOffset: string })[] }[] }) => ({
      partitions: topics.flatMap(({ partitions }) => partitions),
    }),
    codesOfPartitions,
  );
}

/** At once, without waiting for more to come. */
export function fetchForm(topic: string, from: ReadonlyMap<number, bigint>): Form<Fetched> {
  const partitions = [...from].map(([partition, offset]) => ({
    partition,
    fetchOffset: offset.toString(),
    maxBytes: fetchBytes.partition,
  }));
  const { request } = requests.Fetch.protocol({ version: versions.Fetch })({
    replicaId: ourselves,
    isolationLevel: uncommitted,
    maxWaitTime: 0,
    minBytes: 0,
    maxBytes: fetchBytes.whole,
    topics: [{ topic, partitions }],
    rackId: '',
  });
  return {
    protocol: { request, response: { decode: decodeFetched, parse: same } },
    codesOf: ({ errorCode, partitions }) => [errorCode, ...codesOfPartitions({ partitions })],
  };
}

/** @param at milliseconds since 1970, -1 for the next offset, -2 for the first that is left */
export function offsetsForm(topic: string, partitions: readonly number[], at: number) {
  const asked = requests.ListOffsets.protocol({ version: versions.ListOffsets })({
    replicaId: ourselves,
    isolationLevel: uncommitted,
    topics: [{ topic, partitions: partitions.map((partition) => ({ partition, timestamp: String(at) })) }],
  });
  return formOf(
    asked,
    ({ responses }: { responses: { partitions: (PartitionAnswer & { offset: string })[] }[] }) => ({
      partitions: responses.flatMap(({ partitions }) => partitions),
    }),
    codesOfPartitions,
  );
}

function codesOfPartitions({ partitions }: { partitions: readonly PartitionAnswer[] }): number[] {
  return partitions.map(({ errorCode }) => errorCode);
}

const same = (value: unknown): unknown => value;

/**
 * One of the library's requests, with all that its answer says. The library itself throws the first error, and would wait
 * where the brokers ask for a pause, which is for the connection's gate to do.
 */
function formOf<Raw, Answer>(
  { request, response }: Protocol,
  read: (decoded: Raw) => Answer,
  codesOf: (answer: Answer) => number[],
): Form<Answer & Answered> {
  const decode = async (raw: Buffer) => {
    const decoded = (await response.decode(raw)) as Raw & { clientSideThrottleTime: number };
    return { ...read(decoded), throttleMs: decoded.clientSideThrottleTime };
  };
  return { protocol: { request, response: { decode, parse: same } }, codesOf };
}
