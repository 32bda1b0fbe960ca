import type { SandboxRecord } from '../connector.ts';
import type { Faults } from '../sandbox.ts';
import { headerOf, matches } from './sandbox-protocol.ts';

interface Stored {
  subject: string;
  seq: number;
  time: string;
  headers: string;
  payload: string;
}

/** The default of a stream's `duplicate_window` (https://docs.nats.io/nats-concepts/jetstream/streams). */
const duplicateWindowMs = 120_000;

/** One stream in memory, with the part of the JetStream API that acts on it. */
export class SandboxStream {
  readonly name = 'EVENTS';
  readonly subjects = ['events.>', 'customers.>'];
  readonly #faults: Faults;
  #messages: Stored[] = [];
  #lastSequence = 0;
  readonly #seen = new Map<string, { seq: number; at: number }>();

  constructor(faults: Faults) {
    this.#faults = faults;
  }

  listensTo(subject: string): boolean {
    return this.subjects.some((pattern) => matches(pattern, subject));
  }

  /** Stores a message and answers with its acknowledgement, or with the error that stands in its place. */
  store(subject: string, headers: string, payload: string): Record<string, unknown> {
    const text = () => headers + payload;
    const expected = headerOf(headers, 'Nats-Expected-Stream');
    if (expected !== undefined && expected !== this.name)
      return failure(400, 10060, 'expected stream does not match');
    if (this.#faults.take('reject_item', text))
      return failure(400, 10054, 'message size exceeds maximum allowed');
    const messageId = headerOf(headers, 'Nats-Msg-Id');
    const earlier = messageId === undefined ? undefined : this.#seen.get(messageId);
    if (earlier && Date.now() - earlier.at < duplicateWindowMs)
      return { stream: this.name, seq: earlier.seq, duplicate: true };
    if (this.#faults.take('accept_without_write', text))
      return { stream: this.name, seq: this.#lastSequence + 1 };

    this.#lastSequence += 1;
    const seq = this.#lastSequence;
    if (messageId !== undefined) this.#seen.set(messageId, { seq, at: Date.now() });
    this.#messages.push({
      subject,
      seq,
      time: new Date().toISOString(),
      headers,
      payload: this.#kept(payload, text),
    });
    return { stream: this.name, seq };
  }

  /** What is kept of a payload: a broker changes nothing, what transforms a stream's subjects might. */
  #kept(payload: string, text: () => string): string {
    if (this.#faults.take('normalise', text)) return JSON.stringify(JSON.parse(payload), null, 2);
    if (!this.#faults.take('alter', text)) return payload;
    const { type, ...rest } = JSON.parse(payload);
    return JSON.stringify({ ...rest, type: `${type}.altered` });
  }

  /** @param stale as before the last message */
  answer(api: string, request: Record<string, unknown>, stale: boolean): Record<string, unknown> {
    const messages = stale ? this.#messages.slice(0, -1) : this.#messages;
    switch (api) {
      case 'STREAM.NAMES':
        return this.#names(request);
      case `STREAM.INFO.${this.name}`:
        return this.#info(messages, stale);
      case `STREAM.MSG.GET.${this.name}`:
        return find(messages, request);
      case `STREAM.MSG.DELETE.${this.name}`:
        return this.#remove(Number(request.seq));
      default:
        return failure(404, 10059, 'stream not found');
    }
  }

  #names({ subject }: Record<string, unknown>): Record<string, unknown> {
    const streams = subject === undefined || this.listensTo(String(subject)) ? [this.name] : null;
    return { total: streams?.length ?? 0, offset: 0, limit: 1024, streams };
  }

  #info(messages: Stored[], stale: boolean): Record<string, unknown> {
    const [first, last] = [messages[0], messages.at(-1)];
    const lastSequence = stale ? this.#lastSequence - 1 : this.#lastSequence;
    const firstSequence = first?.seq ?? lastSequence + 1;
    const gaps = first ? lastSequence - firstSequence + 1 - messages.length : 0;
    const none = '0001-01-01T00:00:00Z';
    return {
      config: { name: this.name, subjects: this.subjects, retention: 'limits' },
      state: {
        messages: messages.length,
        bytes: 0,
        first_seq: lastSequence === 0 ? 0 : firstSequence,
        first_ts: first?.time ?? none,
        last_seq: lastSequence,
        last_ts: last?.time ?? none,
        ...(gaps > 0 ? { num_deleted: gaps } : {}),
        consumer_count: 0,
      },
    };
  }

  #remove(sequence: number): Record<string, unknown> {
    const left = this.#messages.filter(({ seq }) => seq !== sequence);
    if (left.length === this.#messages.length) return failure(400, 10043, `sequence ${sequence} not found`);
    this.#messages = left;
    return { success: true };
  }

  records(): SandboxRecord[] {
    return this.#messages.map(({ seq, subject, headers, payload }) => ({
      id: `${this.name}:${seq}`,
      type: 'messages',
      fields: { subject, contentType: headerOf(headers, 'Content-Type'), event: JSON.parse(payload) },
      writes: 1,
    }));
  }
}

/** By sequence, the next of a subject from a sequence on, or the last of a subject. */
function find(messages: Stored[], request: Record<string, unknown>): Record<string, unknown> {
  const { seq, next_by_subj: next, last_by_subj: last } = request;
  const found =
    typeof last === 'string'
      ? messages.findLast(({ subject }) => matches(last, subject))
      : typeof next === 'string'
        ? messages.find((message) => message.seq >= Number(seq ?? 1) && matches(next, message.subject))
        : messages.find((message) => message.seq === seq);
  if (!found) return failure(404, 10037, 'no message found');
  const { subject, seq: sequence, time, headers, payload } = found;
  const hdrs = Buffer.from(headers).toString('base64');
  return { message: { subject, seq: sequence, time, hdrs, data: Buffer.from(payload).toString('base64') } };
}

/** The server's way of saying no. */
export function failure(code: number, errorCode: number, description: string): Record<string, unknown> {
  return { error: { code, err_code: errorCode, description } };
}
