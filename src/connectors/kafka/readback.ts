import type { CallOptions, ReadItem, Reading } from '../connector.ts';
import { asReading, type Problem } from '../rest.ts';
import type { Kafka, Layout } from './client.ts';
import { leaderless, outOfRange, problemOf } from './codes.ts';
import type { FetchedPartition } from './fetched.ts';
import type { Address } from './line.ts';
import { fieldsIn } from './message.ts';
import { type Place, placeId, placeOf } from './partition.ts';
import { search } from './search.ts';

/** An item whose record's place was told when it was written. */
interface Placed {
  item: ReadItem;
  place: Place;
}

/** Reads events back: by their places, else among what their topic got since they were sent. */
export async function read(
  kafka: Kafka,
  items: ReadItem[],
  call: CallOptions,
): Promise<Map<string, Reading>> {
  const readings = new Map<string, Reading>();
  for (const [topic, ours] of byTopic(items)) {
    const placed = ours.flatMap((item) => {
      const place = placeOf(item.id);
      return place ? [{ item, place }] : [];
    });
    await readPlaces(kafka, topic, placed, readings, call);
    const lost = ours.filter(({ key }) => !readings.has(key));
    await search(kafka, topic, lost, readings, call);
  }
  return readings;
}

function byTopic(items: ReadItem[]): Map<string, ReadItem[]> {
  const topics = new Map<string, ReadItem[]>();
  for (const item of items) {
    const topic = placeOf(item.id)?.topic ?? item.locator.topic ?? '';
    topics.set(topic, [...(topics.get(topic) ?? []), item]);
  }
  return topics;
}

/** Leaves out what is not at its place, or not yet. */
async function readPlaces(
  kafka: Kafka,
  topic: string,
  placed: Placed[],
  readings: Map<string, Reading>,
  call: CallOptions,
): Promise<void> {
  let waiting = placed;
  while (waiting.length > 0) {
    const layout = await kafka.layout(topic, call);
    if (!layout.ok) return fail(waiting, layout.problem, readings);
    for (const [leader, ours] of byLeader(waiting, layout.value)) {
      const left = await readFrom(kafka, topic, leader, ours, readings, call);
      waiting = waiting.filter((one) => !ours.includes(one) || left.includes(one));
    }
  }
}

function byLeader(placed: Placed[], { leaders }: Layout): Map<Address | undefined, Placed[]> {
  const groups = new Map<Address | undefined, Placed[]>();
  for (const one of placed) {
    const leader = leaders.get(one.place.partition);
    groups.set(leader, [...(groups.get(leader) ?? []), one]);
  }
  return groups;
}

/** One request, from the first place of each partition on. @returns what a further one may show */
async function readFrom(
  kafka: Kafka,
  topic: string,
  leader: Address | undefined,
  placed: Placed[],
  readings: Map<string, Reading>,
  call: CallOptions,
): Promise<Placed[]> {
  const give = (problem: Problem) => {
    fail(placed, problem, readings);
    return [];
  };
  if (!leader) return give(problemOf(leaderless, topic, 0));
  const from = new Map<number, bigint>();
  for (const { place } of placed) {
    const first = from.get(place.partition);
    if (first === undefined || place.offset < first) from.set(place.partition, place.offset);
  }
  const answer = await kafka.fetch(topic, leader, from, call);
  if (!answer.ok) return give(answer.problem);
  const left: Placed[] = [];
  for (const partition of answer.value) {
    const ours = placed.filter(({ place }) => place.partition === partition.partition);
    if (partition.errorCode === outOfRange) {
      const said = await beforeStart(kafka, topic, leader, ours, readings, call);
      if (said) return give(said);
    } else left.push(...settle(ours, partition, readings));
  }
  // An answer that says nothing of them says nothing the next time, either.
  return left.length < placed.length ? left : give({ kind: 'ambiguous', reason: 'the brokers gave nothing' });
}

/** @returns those that lie behind what came */
function settle(
  placed: Placed[],
  { batches, highWatermark }: FetchedPartition,
  readings: Map<string, Reading>,
) {
  const left: Placed[] = [];
  for (const one of placed) {
    const { item, place } = one;
    const batch = batches.find(({ last }) => last >= place.offset);
    if (!batch) {
      if (place.offset < highWatermark) left.push(one);
      continue;
    }
    const record = batch.records.find(({ offset }) => offset === place.offset);
    const fields = record && fieldsIn(item.key, record);
    if (fields) readings.set(item.key, { kind: 'found', id: placeId(place), fields });
    else if (batch.codec !== undefined) readings.set(item.key, compressed(batch.codec));
    else if (place.offset < batch.first || !batch.isWhole) readings.set(item.key, removed);
  }
  return left;
}

/** Offsets that are not there: those before the first that is left have been, those after the last will be. */
async function beforeStart(
  kafka: Kafka,
  topic: string,
  leader: Address,
  placed: Placed[],
  readings: Map<string, Reading>,
  call: CallOptions,
): Promise<Problem | undefined> {
  const partitions = [...new Set(placed.map(({ place }) => place.partition))];
  const answer = await kafka.offsets(topic, leader, partitions, -2, call);
  if (!answer.ok) return answer.problem;
  for (const { item, place } of placed)
    if (place.offset < (answer.value.get(place.partition) ?? 0n)) readings.set(item.key, removed);
  return undefined;
}

const removed: Reading = {
  kind: 'unreadable',
  reason: 'the topic has removed the record since, by retention or compaction',
};

function compressed(codec: string): Reading {
  return { kind: 'unreadable', reason: `the topic keeps it in a form that is not read here: ${codec}` };
}

function fail(placed: Placed[], problem: Problem, readings: Map<string, Reading>): void {
  for (const { item } of placed) readings.set(item.key, asReading(problem));
}
