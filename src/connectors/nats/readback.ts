import type { StoredMsg } from '@nats-io/jetstream';
import type { CallOptions, ReadItem, Reading } from '../connector.ts';
import { fieldsOf } from '../event.ts';
import { asReading, type Refused } from '../rest.ts';
import type { Given, JetStream } from './client.ts';
import { placeId, placeOf } from './place.ts';

/** One message is one request: what is looked through before a person is asked. */
const maxMessages = 200;

/** Where to search when no acknowledgement came: a subject of a stream, and not before a time. */
interface Range {
  stream: string;
  subject: string;
  since: Date;
}

/** Reads one event back: by its place, else among what the subject got since it was sent. */
export async function read(jetStream: JetStream, item: ReadItem, call: CallOptions): Promise<Reading> {
  const { subject = '', stream: named, since = '' } = item.locator;
  const place = placeOf(item.id);
  if (place) {
    const stored = await jetStream.message(place.stream, { seq: place.sequence }, call);
    if (!stored.ok) return asReading(stored.problem);
    const found = foundIn(stored.value, place.stream, item);
    if (found) return found;
  }
  let stream = place?.stream ?? named;
  if (stream === undefined) {
    const answer = await jetStream.streamOf(subject, call);
    if (!answer.ok) return asReading(answer.problem);
    stream = answer.value;
  }
  return search(jetStream, item, { stream, subject, since: new Date(since) }, call);
}

function foundIn(stored: StoredMsg | null, stream: string, item: ReadItem): Reading | undefined {
  if (!stored) return undefined;
  const fields = fieldsOf(item.key, stored.string());
  return fields && { kind: 'found', id: placeId(stream, stored.seq), fields };
}

/** The newest message of the subject first, as it mostly is; then those since the time of sending, forwards. */
async function search(
  jetStream: JetStream,
  item: ReadItem,
  range: Range,
  call: CallOptions,
): Promise<Reading> {
  const { stream, subject, since } = range;
  const newest = await jetStream.message(stream, { last_by_subj: subject }, call);
  if (!newest.ok) return asReading(newest.problem);
  const found = foundIn(newest.value, stream, item);
  if (found) return found;
  if (!newest.value || newest.value.time < since) return absence(jetStream, range, call);
  const last = newest.value.seq;

  const start = await startOf(jetStream, range, last, call);
  if (typeof start !== 'number') return asReading(start.problem);
  let current = await next(jetStream, range, start, call);
  if (!current.ok) return asReading(current.problem);
  for (let seen = 0; current.value && current.value.seq < last; seen += 1) {
    if (seen === maxMessages) return tooMany(range);
    const here = foundIn(current.value, stream, item);
    if (here) return here;
    current = await next(jetStream, range, current.value.seq + 1, call);
    if (!current.ok) return asReading(current.problem);
  }
  return absence(jetStream, range, call);
}

/**
 * A sequence shortly before the first message that came since, by halving what lies between: a stream finds messages by
 * sequence only (by time since server 2.11, and only where it allows direct reads). 30 requests for a thousand million.
 */
async function startOf(
  jetStream: JetStream,
  range: Range,
  last: number,
  call: CallOptions,
): Promise<number | Refused> {
  let before = 1;
  let after = last;
  while (after - before > 8) {
    const middle = Math.floor((before + after) / 2);
    const message = await next(jetStream, range, middle, call);
    if (!message.ok) return message;
    if (message.value && message.value.time < range.since) before = middle;
    else after = middle;
  }
  return before;
}

/** The first message of the subject at this sequence or after it. */
function next(
  jetStream: JetStream,
  { stream, subject }: Range,
  sequence: number,
  call: CallOptions,
): Promise<Given<StoredMsg | null>> {
  const query = { seq: sequence, next_by_subj: subject };
  return jetStream.message(stream, query, call);
}

function tooMany({ subject }: Range): Reading {
  const reason = `more than ${maxMessages} messages came to ${subject} since it was sent, and it is not among the first`;
  return { kind: 'unreadable', reason };
}

/** A message that is not there was never there only if the stream has lost none since: by age, by limits, by consumers. */
async function absence(jetStream: JetStream, range: Range, call: CallOptions): Promise<Reading> {
  const answer = await jetStream.state(range.stream, call);
  if (!answer.ok) return asReading(answer.problem);
  const { messages, first_seq, first_ts, last_seq, num_deleted = 0 } = answer.value;
  const isWhole =
    num_deleted === 0 &&
    (last_seq === 0 || (messages > 0 && (first_seq <= 1 || new Date(first_ts) < range.since)));
  if (isWhole) return { kind: 'absent' };
  const reason = `not in ${range.stream}, which has removed messages since: it may have been among them`;
  return { kind: 'unreadable', reason };
}
