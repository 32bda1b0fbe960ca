import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultKind, SandboxOptions, SandboxRecord } from '../connector.ts';
import { Faults, RollingWindow } from '../sandbox.ts';
import {
  type ApiName,
  type ByTopic,
  deleted,
  fetched,
  metadata,
  type Node,
  offsets,
  produced,
} from './sandbox-answers.ts';
import { readBatch } from './sandbox-batch.ts';
import { type Appended, SandboxPartition, textOf } from './sandbox-log.ts';
import type { Reader } from './sandbox-wire.ts';

const errors = { unknown: -1, outOfRange: 1, unknownTopic: 3, notLeader: 6, quotaExceeded: 89 };

/** The topics that there are: how many partitions, and what is peculiar. Other ones are not made by being asked for. */
const topics = {
  customers: { partitions: 3, from: 0n, isCompacted: false },
  accounts: { partitions: 1, from: 0n, isCompacted: true },
  /** One that has run for long: offsets that a number does not hold exactly. */
  ledger: { partitions: 1, from: 2n ** 53n + 1n, isCompacted: false },
};

interface Wanted {
  topic: string;
  partition: number;
}

/** What the brokers share: topics, faults and the log of requests. */
export class SandboxCluster {
  readonly faults = new Faults();
  /** Requests, and sign-ins that were refused. */
  readonly log: { method: string; path: string; status: number; at: number }[] = [];
  readonly user: string;
  readonly token: string;
  readonly #nodes: Node[];
  readonly #window: RollingWindow | undefined;
  readonly #partitions = new Map<string, SandboxPartition[]>();
  readonly #leaders = new Map<string, number[]>();

  constructor(nodes: Node[], options: SandboxOptions & { user: string; token: string }) {
    this.user = options.user;
    this.token = options.token;
    this.#nodes = nodes;
    this.#window = options.rateLimit ? new RollingWindow(options.rateLimit) : undefined;
    for (const [topic, { partitions: count, ...rest }] of Object.entries(topics)) {
      const numbers = [...Array(count).keys()];
      const made = numbers.map(
        (partition) => new SandboxPartition({ topic, partition, ...rest }, this.faults),
      );
      this.#partitions.set(topic, made);
      this.#leaders.set(
        topic,
        numbers.map((partition) => partition % 2),
      );
    }
  }

  lead(topic: string, partition: number, node: number): void {
    this.#leaders.get(topic)?.splice(partition, 1, node);
  }

  records(): SandboxRecord[] {
    return [...this.#partitions.values()].flat().flatMap((partition) => partition.records());
  }

  /** The order in which a request meets faults, quotas and the topics. A quota is told beside the answer (KIP-219). */
  async answer(node: number, name: ApiName, body: Reader): Promise<Buffer | 'cut'> {
    const asked = requestOf(name, body);
    const entry = { method: name, path: asked.topics.join(' '), status: 0, at: Date.now() };
    this.log.push(entry);
    const text = () => `${name} ${entry.path}\n${asked.text()}`;
    const fault = (kind: FaultKind) => this.faults.take(kind, text);
    const answer = (status: number, bytes: Buffer) => {
      entry.status = status;
      return bytes;
    };
    const slow = fault('slow');
    if (slow) await sleep(slow.delayMs ?? 1000);
    const throttle = fault('throttle');
    if (throttle)
      return answer(429, asked.refused(errors.quotaExceeded, (throttle.retryAfterSeconds ?? 1) * 1000));
    if (fault('throttle_bare')) return answer(429, asked.refused(errors.quotaExceeded, 0));
    if (fault('garbage')) return answer(200, Buffer.from('<!doctype html><title>Please log in</title>'));
    const budget = this.#window?.admit(Date.now());
    const throttleMs = budget && !budget.admitted ? budget.retryAfterMs : 0;
    const broken = () => answer(500, asked.refused(errors.unknown, throttleMs));

    if (name === 'Produce') {
      if (fault('error_before_write')) return broken();
      if (fault('cut_before_write')) return 'cut';
      const written = asked.answer(this, node, throttleMs, false);
      if (fault('error_after_write')) return broken();
      if (fault('cut_after_write')) return 'cut';
      return answer(200, written);
    }
    const isRead = name === 'Fetch' || name === 'ListOffsets';
    if (isRead && fault('read_error')) return broken();
    return answer(200, asked.answer(this, node, throttleMs, isRead && fault('stale_read') !== undefined));
  }

  layouts(names: string[]) {
    return (names.length > 0 ? names : [...this.#leaders.keys()]).map((topic) => {
      const leaders = this.#leaders.get(topic);
      return { topic, errorCode: leaders ? 0 : errors.unknownTopic, leaders: leaders ?? [] };
    });
  }

  get nodes(): Node[] {
    return this.#nodes;
  }

  /** A partition of those that a broker leads, or why not. */
  partition(node: number, { topic, partition }: Wanted): SandboxPartition | number {
    const found = this.#partitions.get(topic)?.[partition];
    if (!found) return errors.unknownTopic;
    return this.#leaders.get(topic)?.[partition] === node ? found : errors.notLeader;
  }
}

/** A request that was read, and how it is answered: with what there is, or with an error for each thing it names. */
interface Asked {
  topics: string[];
  text(): string;
  answer(cluster: SandboxCluster, node: number, throttleMs: number, isStale: boolean): Buffer;
  refused(errorCode: number, throttleMs: number): Buffer;
}

function requestOf(name: ApiName, body: Reader): Asked {
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
