import { heeded, stopped, throughGate, withDeadline } from '../calls.ts';
import type { CallOptions, Gate } from '../connector.ts';
import type { Problem, Refused } from '../rest.ts';
import { Brokers } from './brokers.ts';
import { asksToWait, hasMoved, isUnknownTopic, outOfRange, problemOf, throttled } from './codes.ts';
import { sentProblem, unsentProblem } from './failures.ts';
import type { FetchedPartition } from './fetched.ts';
import { type Answered, type Form, fetchForm, metadataForm, offsetsForm, produceForm } from './forms.ts';
import type { Address, Line } from './line.ts';
import type { Message } from './message.ts';
import type { Settings } from './schema.ts';

export type Given<T> = { ok: true; value: T } | Refused;

/** Which broker leads each partition of a topic; undefined where none does at present. */
export interface Layout {
  leaders: ReadonlyMap<number, Address | undefined>;
  readAt: number;
}

/** What a leader says of the records of one partition. */
export type Stored = { baseOffset: bigint } | Problem;

/** Also without an error, so that added partitions are used: the default of Kafka's own clients. */
const layoutLifeMs = 5 * 60_000;

/**
 * A cluster through the lower layer of kafkajs: requests to the broker that each concerns, asked once. Its upper layer
 * retries by itself, tells one error for a whole request, and reads only as a member of a consumer group.
 */
export class Kafka {
  readonly #gate: Gate;
  readonly #brokers: Brokers;
  readonly #secrets: readonly string[];
  readonly #layouts = new Map<string, Layout>();

  constructor(settings: Settings, gate: Gate) {
    const { password, tls_key } = settings;
    this.#gate = gate;
    this.#brokers = new Brokers(settings);
    this.#secrets = [password, tls_key].flatMap((one) => one?.reveal() ?? []);
  }

  /** The partitions of a topic and their leaders; `gone` when there is no such topic. */
  async layout(topic: string, call: CallOptions, isFresh = false): Promise<Given<Layout>> {
    const kept = this.#layouts.get(topic);
    if (kept && !isFresh && performance.now() - kept.readAt < layoutLifeMs) return { ok: true, value: kept };
    const answer = await this.#ask(undefined, metadataForm(topic), call);
    if (!answer.ok) return answer;
    const { brokers, topics, throttleMs } = answer.value;
    const { code = -1, partitions = [] } = topics.find((one) => one.topic === topic) ?? {};
    if (code !== 0)
      return { ok: false, gone: isUnknownTopic(code), problem: problemOf(code, topic, throttleMs) };
    const leaders = new Map(partitions.map(({ partitionId, leader }) => [partitionId, brokers.get(leader)]));
    const layout = { leaders, readAt: performance.now() };
    this.#layouts.set(topic, layout);
    return { ok: true, value: layout };
  }

  /** Appends to partitions that one broker leads, on all replicas in sync. What the answer does not mention is absent. */
  async produce(
    topic: string,
    leader: Address,
    records: ReadonlyMap<number, Message[]>,
    call: CallOptions,
  ): Promise<Given<Map<number, Stored>>> {
    const waitMs = Math.ceil(call.timeoutMs * 0.8);
    const answer = await this.#ask(leader, produceForm(topic, records, waitMs), call);
    if (!answer.ok) return answer;
    const { throttleMs, partitions } = answer.value;
    const stored = partitions.map(({ partition, errorCode, baseOffset }): [number, Stored] => {
      const offset = BigInt(baseOffset);
      if (errorCode === 0) return [partition, { baseOffset: offset }];
      return [partition, this.#problem(topic, errorCode, throttleMs, offset >= 0n)];
    });
    return { ok: true, value: new Map(stored) };
  }

  /** What partitions that one broker leads hold from these offsets on. Errors of single partitions are in them. */
  async fetch(
    topic: string,
    leader: Address,
    from: ReadonlyMap<number, bigint>,
    call: CallOptions,
  ): Promise<Given<FetchedPartition[]>> {
    const answer = await this.#ask(leader, fetchForm(topic, from), call);
    if (!answer.ok) return answer;
    const { throttleMs, errorCode, partitions } = answer.value;
    const code = [errorCode, ...partitions.map((one) => one.errorCode)].find(isFailure) ?? 0;
    return code === 0 ? { ok: true, value: partitions } : refused(this.#problem(topic, code, throttleMs));
  }

  /** @param at as in `offsetsForm`; where no record is so late, the answer is -1 */
  async offsets(
    topic: string,
    leader: Address,
    partitions: readonly number[],
    at: number,
    call: CallOptions,
  ): Promise<Given<Map<number, bigint>>> {
    const answer = await this.#ask(leader, offsetsForm(topic, partitions, at), call);
    if (!answer.ok) return answer;
    const { throttleMs, partitions: told } = answer.value;
    const code = told.find(({ errorCode }) => errorCode !== 0)?.errorCode ?? 0;
    if (code !== 0) return refused(this.#problem(topic, code, throttleMs));
    return { ok: true, value: new Map(told.map(({ partition, offset }) => [partition, BigInt(offset)])) };
  }

  close(): Promise<void> {
    return this.#brokers.close();
  }

  #problem(topic: string, code: number, throttleMs: number, wasAppended = false): Problem {
    if (hasMoved(code)) this.#layouts.delete(topic);
    return problemOf(code, topic, throttleMs, wasAppended);
  }

  /** @param broker undefined: any of those that the connection names */
  async #ask<T extends Answered>(
    broker: Address | undefined,
    form: Form<T>,
    call: CallOptions,
  ): Promise<Given<T>> {
    const attempt = () => this.#attempt(broker, form, call);
    const answer = await throughGate<Given<T>>(this.#gate, call, attempt, ({ ok }) => ok);
    return 'kind' in answer ? refused(answer) : answer;
  }

  async #attempt<T extends Answered>(
    broker: Address | undefined,
    { protocol, codesOf }: Form<T>,
    call: CallOptions,
  ): Promise<Given<T>> {
    let line: Line | undefined;
    try {
      const value = await withDeadline(call, async (signal) => {
        const open = await (broker ? this.#brokers.to(broker, call) : this.#brokers.any(call, signal));
        // Given up while connecting: what would be sent now, nobody waits for.
        signal.throwIfAborted();
        line = open;
        return (await open.send(protocol)) as T;
      });
      if (asksToWait(value.throttleMs, codesOf(value))) this.#gate.heed(throttled(value.throttleMs));
      return { ok: true, value };
    } catch (error) {
      // Answers come in order: behind one that did not come, none does. And another broker may lead by now.
      line?.close();
      if (broker) this.#layouts.clear();
      if (!line && call.signal.aborted) return refused(stopped);
      const problem = line ? sentProblem(error, this.#secrets) : unsentProblem(error, this.#secrets);
      return refused(heeded(this.#gate, problem));
    }
  }
}

function refused(problem: Problem): Refused {
  return { ok: false, gone: false, problem };
}

/** An offset that is not there is an answer, too. */
function isFailure(code: number): boolean {
  return code !== 0 && code !== outOfRange;
}
