import { isOfConnection } from '../calls.ts';
import type { CallOptions, ReadItem, Reading } from '../connector.ts';
import type { Refused, Slack } from './client.ts';
import type { DirectMessages } from './direct.ts';
import { type Conversation, type Message, readChannels, readMessages } from './history.ts';
import { formatPlace, isConversationId, parsePlace } from './place.ts';

/** One message to find: by `ts` when a write answered, else by our marker in what was posted `since`. */
interface Wanted extends Conversation {
  item: ReadItem;
  ts: string | undefined;
  since: string;
}

/** Reads messages back from one connection; remembers the ids of named channels. */
export class Readback {
  readonly #slack: Slack;
  readonly #directMessages: DirectMessages;
  #channels: Map<string, string> | undefined;

  constructor(slack: Slack, directMessages: DirectMessages) {
    this.#slack = slack;
    this.#directMessages = directMessages;
  }

  async read(action: string, items: ReadItem[], call: CallOptions): Promise<Map<string, Reading>> {
    const readings = new Map<string, Reading>();
    const groups = new Map<string, Wanted[]>();
    for (const item of items) {
      const wanted = await this.#locate(action, item, call);
      if ('kind' in wanted) {
        readings.set(item.key, wanted);
        continue;
      }
      const name = `${wanted.channel}:${wanted.thread ?? ''}:${wanted.ts === undefined}`;
      groups.set(name, [...(groups.get(name) ?? []), wanted]);
    }
    for (const group of groups.values()) {
      const search = group[0]?.ts === undefined;
      const found = search ? await this.#search(group, call) : await this.#fetch(group, call);
      for (const [key, reading] of found) readings.set(key, reading);
    }
    return readings;
  }

  async #locate(action: string, item: ReadItem, call: CallOptions): Promise<Wanted | Reading> {
    const parent = parsePlace(item.parentId);
    const place = parsePlace(item.id) ?? (action === 'update_message' ? parent : undefined);
    const dayAgo = String(Math.floor(Date.now() / 1000) - 86_400);
    const since = item.locator.since ?? dayAgo;
    if (place) return { item, channel: place.channel, thread: place.thread, ts: place.ts, since };
    if (parent) {
      return { item, channel: parent.channel, thread: parent.thread ?? parent.ts, ts: undefined, since };
    }
    const { channel: named = '', email } = item.locator;
    const channel = await (email === undefined ? this.#channelId(named, call) : this.#direct(email, call));
    return typeof channel === 'string' ? { item, channel, thread: undefined, ts: undefined, since } : channel;
  }

  async #direct(email: string, call: CallOptions): Promise<string | Reading> {
    const direct = await this.#directMessages.channelWith(email, call);
    return direct.ok ? direct.channel : asReading(direct);
  }

  async #channelId(channel: string, call: CallOptions): Promise<string | Reading> {
    if (isConversationId(channel)) return channel;
    const name = channel.replace(/^#/, '');
    if (!this.#channels?.has(name)) {
      const channels = await readChannels(this.#slack, call);
      if (!(channels instanceof Map)) return asReading(channels);
      this.#channels = channels;
    }
    const hint = 'give the channel’s id in the destination so that its messages can be found';
    return (
      this.#channels?.get(name) ?? { kind: 'unreadable', reason: `no id is known for ${channel}: ${hint}` }
    );
  }

  /**
   * Messages whose `ts` is known. One pass over the span they lie in finds most of them; in a busy channel the rest
   * are asked for one by one.
   */
  async #fetch(group: Wanted[], call: CallOptions): Promise<Map<string, Reading>> {
    const readings = new Map<string, Reading>();
    let left = group;
    const times = group.map((wanted) => wanted.ts ?? '').sort();
    const [oldest, latest] = [times[0], times.at(-1)];
    if (group.length > 1 && oldest && latest) {
      const range = { oldest, latest, limit: 200, maxPages: 2 };
      const span = await readMessages(this.#slack, group[0] as Wanted, range, call);
      if (!span.ok) return new Map(group.map((wanted) => [wanted.item.key, asReading(span)]));
      const byTs = new Map(span.messages.map((message) => [message.ts, message]));
      for (const wanted of group) {
        const message = byTs.get(wanted.ts ?? '');
        if (message || span.complete) readings.set(wanted.item.key, reading(wanted, message));
      }
      left = group.filter((wanted) => !readings.has(wanted.item.key));
    }
    for (const wanted of left) readings.set(wanted.item.key, await this.#fetchOne(wanted, call));
    return readings;
  }

  async #fetchOne(wanted: Wanted, call: CallOptions): Promise<Reading> {
    const ts = wanted.ts ?? '';
    // A thread's first message always comes too, so one would not be enough.
    const range = { oldest: ts, latest: ts, limit: wanted.thread === undefined ? 1 : 2, maxPages: 1 };
    const answer = await readMessages(this.#slack, wanted, range, call);
    if (!answer.ok) return asReading(answer);
    return reading(
      wanted,
      answer.messages.find((message) => message.ts === ts),
    );
  }

  /**
   * Messages that may or may not have been posted: looked for by our marker, in at most 3,000 messages. 999 is Slack's most
   * for a page, and every page is a call that may fail: with pages of 200 and three calls in ten refused, one search in six
   * came to its end.
   */
  async #search(group: Wanted[], call: CallOptions): Promise<Map<string, Reading>> {
    const oldest = group.map((wanted) => wanted.since).sort()[0] ?? '0';
    const range = { oldest, limit: 999, maxPages: 3 };
    const answer = await readMessages(this.#slack, group[0] as Wanted, range, call);
    const readings = new Map<string, Reading>();
    for (const wanted of group) {
      const { key } = wanted.item;
      if (!answer.ok) {
        readings.set(key, asReading(answer));
        continue;
      }
      const message = answer.messages.find((one) => one.metadata?.event_payload?.key === key);
      if (message || answer.complete) readings.set(key, reading(wanted, message));
      else readings.set(key, { kind: 'unreadable', reason: 'too many messages since the attempt to search' });
    }
    return readings;
  }
}

function reading(wanted: Wanted, message: Message | undefined): Reading {
  if (!message) return { kind: 'absent' };
  const { channel, thread, item } = wanted;
  const fields: Record<string, unknown> = {};
  for (const field of item.fields) if (field === 'text') fields.text = message.text ?? '';
  return { kind: 'found', id: formatPlace({ channel, ts: message.ts, thread }), fields };
}

/** Asking again does not help: a scope is missing, the bot is not in the channel, or there is none. */
const neverReadable = new Set([
  'channel_is_limited_access',
  'channel_not_found',
  'method_not_supported_for_channel_type',
  'missing_scope',
  'not_in_channel',
  'users_not_found',
]);

function asReading({ error, problem }: Refused): Reading {
  if (error !== undefined && neverReadable.has(error)) {
    const reason = `Slack says ${error}: the token may not read here, or there is no such place`;
    return { kind: 'unreadable', reason };
  }
  // The thread's first message is gone, and its replies with it.
  if (error === 'thread_not_found') return { kind: 'absent' };
  if (isOfConnection(problem)) return problem;
  return { kind: 'failed', reason: problem.reason };
}
