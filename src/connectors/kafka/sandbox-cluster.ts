import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultKind, SandboxOptions, SandboxRecord } from '../connector.ts';
import { Faults } from '../sandbox.ts';
import { RollingWindow } from '../sandbox-window.ts';
import { type ApiName, errors, type Node } from './sandbox-answers.ts';
import { SandboxPartition } from './sandbox-log.ts';
import { type Cluster, requestOf, type Wanted } from './sandbox-requests.ts';
import type { Reader } from './sandbox-wire.ts';

/** The topics that there are: how many partitions, and what is peculiar. Other ones are not made by being asked for. */
const topics = {
  customers: { partitions: 3, from: 0n, isCompacted: false },
  accounts: { partitions: 1, from: 0n, isCompacted: true },
  /** One that has run for long: offsets that a number does not hold exactly. */
  ledger: { partitions: 1, from: 2n ** 53n + 1n, isCompacted: false },
};

/** What the brokers share: topics, faults and the log of requests. */
export class SandboxCluster implements Cluster {
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
