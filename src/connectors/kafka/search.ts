import type { CallOptions, ReadItem, Reading } from '../connector.ts';
import { asReading, type Problem } from '../rest.ts';
import type { Kafka, Layout } from './client.ts';
import { leaderless, outOfRange, problemOf } from './codes.ts';
import type { FetchedPartition } from './fetched.ts';
import type { Address } from './line.ts';
import { eventIn, fieldsIn } from './message.ts';
import { placeId, slotOf } from './partition.ts';

/** What is looked through before a person is asked: 8 MB at most in each. */
const maxFetches = 32;

/** What one search is about, and what it has found out. */
interface Search {
  kafka: Kafka;
  topic: string;
  call: CallOptions;
  since: number;
  wanted: Map<string, ReadItem>;
  readings: Map<string, Reading>;
  fetches: number;
  /** Why what was not found may have been there all the same. */
  doubt: string | undefined;
}

/**
 * Looks for events among what their topic got since they were sent: in the partitions of their keys first, then in the
 * others, because a topic may have got more partitions since.
 */
export async function search(
  kafka: Kafka,
  topic: string,
  items: ReadItem[],
  readings: Map<string, Reading>,
  call: CallOptions,
): Promise<void> {
  if (items.length === 0) return;
  const wanted = new Map(items.map((item) => [item.key, item]));
  const since = Math.min(...items.map(({ locator }) => Date.parse(locator.since ?? '')));
  const look: Search = { kafka, topic, call, since, wanted, readings, fetches: 0, doubt: undefined };
  const layout = await kafka.layout(topic, call, true);
  const problem = layout.ok ? await lookThrough(look, layout.value) : layout.problem;
  for (const key of wanted.keys()) readings.set(key, problem ? asReading(problem) : unfound(look));
}

function unfound({ topic, doubt }: Search): Reading {
  if (doubt === undefined) return { kind: 'absent' };
  return { kind: 'unreadable', reason: `not found in ${topic}, but ${doubt}` };
}

async function lookThrough(look: Search, { leaders }: Layout): Promise<Problem | undefined> {
  const expected = new Set([...look.wanted.values()].map((item) => slotOfItem(item) % leaders.size));
  const parts = [...leaders.keys()];
  for (const some of [parts.filter((one) => expected.has(one)), parts.filter((one) => !expected.has(one))]) {
    for (const [leader, partitions] of byLeader(some, leaders)) {
      if (look.wanted.size === 0) return undefined;
      if (!leader) return problemOf(leaderless, look.topic, 0);
      const problem = await lookAt(look, leader, partitions);
      if (problem) return problem;
    }
  }
  return undefined;
}

/** What `locate` kept of a record's key; without one, the key was the action's. */
function slotOfItem({ key, locator }: ReadItem): number {
  return locator.slot === undefined ? slotOf(key) : Number(locator.slot);
}

function byLeader(partitions: number[], leaders: Layout['leaders']): Map<Address | undefined, number[]> {
  const groups = new Map<Address | undefined, number[]>();
  for (const partition of partitions) {
    const leader = leaders.get(partition);
    groups.set(leader, [...(groups.get(leader) ?? []), partition]);
  }
  return groups;
}

/**
 * Reads partitions of one broker, from the last record before the time to what is their end now. That this one is there,
 * so that nothing after it is gone unseen, and that it is older, is what a search relies on.
 */
async function lookAt(look: Search, leader: Address, partitions: number[]): Promise<Problem | undefined> {
  const { kafka, topic, call } = look;
  const starts = await startsOf(look, leader, partitions);
  if ('kind' in starts) return starts;
  const ends = new Map<number, bigint>();
  const next = new Map([...starts].map(([partition, start]) => [partition, start > 0n ? start - 1n : start]));
  while (next.size > 0 && look.wanted.size > 0) {
    look.fetches += 1;
    if (look.fetches > maxFetches) {
      look.doubt = `more came since it was sent than is looked through (${maxFetches} requests)`;
      return undefined;
    }
    const answer = await kafka.fetch(topic, leader, next, call);
    if (!answer.ok) return answer.problem;
    for (const part of answer.value) {
      const { partition, highWatermark, errorCode } = part;
      const from = next.get(partition) ?? 0n;
      const start = starts.get(partition) ?? 0n;
      if (errorCode === outOfRange) {
        look.doubt = 'the topic has removed records since it was sent: it may have been among them';
        if (from < start) next.set(partition, start);
        else next.delete(partition);
        continue;
      }
      if (!ends.has(partition)) ends.set(partition, highWatermark);
      const reached = lookIn(look, part, start, from);
      if (reached >= (ends.get(partition) ?? 0n)) next.delete(partition);
      else next.set(partition, reached);
    }
  }
  return undefined;
}

async function startsOf(
  { kafka, topic, call, since }: Search,
  leader: Address,
  partitions: number[],
): Promise<Map<number, bigint> | Problem> {
  const first = await kafka.offsets(topic, leader, partitions, since, call);
  if (!first.ok) return first.problem;
  const idle = partitions.filter((partition) => (first.value.get(partition) ?? -1n) < 0n);
  if (idle.length === 0) return first.value;
  const ends = await kafka.offsets(topic, leader, idle, -1, call);
  return ends.ok ? new Map([...first.value, ...ends.value]) : ends.problem;
}

/** @returns the offset to go on from */
function lookIn(look: Search, { partition, batches }: FetchedPartition, start: bigint, from: bigint): bigint {
  let next = from;
  for (const { first, last, records, isWhole, codec } of batches) {
    if (codec !== undefined) look.doubt = `it holds records in a form that is not read here: ${codec}`;
    else if (first > next || !isWhole)
      look.doubt ??= 'the topic is compacted: it may have been removed since';
    for (const record of records) {
      if (record.offset < start && record.timestamp >= look.since)
        look.doubt = 'the brokers do not tell where the time of sending begins';
      const key = eventIn(record)?.id ?? '';
      const fields = look.wanted.has(key) ? fieldsIn(key, record) : undefined;
      if (!fields) continue;
      const id = placeId({ topic: look.topic, partition, offset: record.offset });
      look.readings.set(key, { kind: 'found', id, fields });
      look.wanted.delete(key);
    }
    if (last >= next) next = last + 1n;
  }
  return next;
}
