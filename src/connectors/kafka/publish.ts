import type { CallOptions, Outcome, WriteItem } from '../connector.ts';
import { inHalves } from '../halves.ts';
import type { Kafka, Layout, Stored } from './client.ts';
import { isOfOneRecord, leaderless, problemOf } from './codes.ts';
import type { Address } from './line.ts';
import { type Message, messageOf } from './message.ts';
import { placeId, slotOf } from './partition.ts';
import type { PublishOptions } from './schema.ts';

/** A partition takes a batch whole or not at all, and by default 1 MB: what is smaller shares no stranger's fate. */
const batchBytes = 512 * 1024;

/** What goes to one partition in one request: all of it is stored, at offsets in this order, or nothing. */
interface Parcel {
  partition: number;
  items: WriteItem[];
  messages: Message[];
  bytes: number;
}

/** Publishes a batch: one request to each broker that leads a partition of it. */
export async function publish(
  kafka: Kafka,
  { topic, mode }: PublishOptions,
  items: WriteItem[],
  call: CallOptions,
): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  await inHalves(items, async (batch) => {
    const layout = await kafka.layout(topic, call);
    if (!layout.ok) {
      for (const { key } of batch) outcomes.set(key, layout.problem);
      return [];
    }
    const { parcels, later } = packed(batch, mode, layout.value);
    const sending = byLeader(parcels, layout.value).map(async ([leader, ours]) => {
      const stored = await stowed(kafka, topic, leader, ours, call);
      for (const parcel of ours) {
        const said = stored(parcel.partition);
        if (parcel.items.length > 1 && 'kind' in said && isOfOneRecord(said))
          for (const item of parcel.items) later.add(item);
        else settle(topic, parcel, said, outcomes);
      }
    });
    await Promise.all(sending);
    return batch.filter((item) => later.has(item));
  });
  return outcomes;
}

/** What each partition can take at once; the rest is for another request. */
function packed(items: WriteItem[], mode: PublishOptions['mode'], { leaders }: Layout) {
  const parcels = new Map<number, Parcel>();
  const later = new Set<WriteItem>();
  for (const item of items) {
    const message = messageOf(item, mode);
    const partition = slotOf(message.key) % leaders.size;
    const parcel = parcels.get(partition) ?? { partition, items: [], messages: [], bytes: 0 };
    parcels.set(partition, parcel);
    const bytes = Buffer.byteLength(message.value) + Buffer.byteLength(message.key);
    if (parcel.items.length > 0 && parcel.bytes + bytes > batchBytes) {
      // Nothing later may overtake it.
      parcel.bytes = batchBytes;
      later.add(item);
      continue;
    }
    parcel.items.push(item);
    parcel.messages.push(message);
    parcel.bytes += bytes;
  }
  return { parcels: [...parcels.values()], later };
}

function byLeader(parcels: Parcel[], { leaders }: Layout): [Address | undefined, Parcel[]][] {
  const groups = new Map<Address | undefined, Parcel[]>();
  for (const parcel of parcels) {
    const leader = leaders.get(parcel.partition);
    groups.set(leader, [...(groups.get(leader) ?? []), parcel]);
  }
  return [...groups];
}

/** What became of each partition's records. */
async function stowed(
  kafka: Kafka,
  topic: string,
  leader: Address | undefined,
  parcels: Parcel[],
  call: CallOptions,
): Promise<(partition: number) => Stored> {
  if (!leader) return () => problemOf(leaderless, topic, 0);
  const records = new Map(parcels.map(({ partition, messages }) => [partition, messages]));
  const answer = await kafka.produce(topic, leader, records, call);
  if (!answer.ok) return () => answer.problem;
  return (partition) => answer.value.get(partition) ?? unmentioned;
}

const unmentioned: Stored = { kind: 'ambiguous', reason: 'the answer did not mention the partition' };

/** Offsets follow the order within the batch, as each record says it of itself (`offsetDelta`). */
function settle(
  topic: string,
  { partition, items }: Parcel,
  said: Stored,
  outcomes: Map<string, Outcome>,
): void {
  for (const [delta, { key }] of items.entries()) {
    if ('kind' in said) outcomes.set(key, said);
    else {
      const offset = said.baseOffset + BigInt(delta);
      outcomes.set(key, { kind: 'applied', id: placeId({ topic, partition, offset }) });
    }
  }
}
