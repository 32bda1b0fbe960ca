import type { CallOptions } from '../connector.ts';
import type { Refused, Slack } from './client.ts';

export interface Message {
  ts: string;
  text?: string;
  metadata?: { event_payload?: { key?: unknown } };
}

/** A channel, or one thread in it. */
export interface Conversation {
  channel: string;
  thread: string | undefined;
}

export interface Range {
  oldest: string;
  latest?: string;
  /** Messages per page; Slack may give fewer (15 to apps sold outside its marketplace). */
  limit: number;
  maxPages: number;
}

/** `complete`: there are no further messages in the range. */
export type Messages = { ok: true; messages: Message[]; complete: boolean } | Refused;

/**
 * The messages of a conversation in a range, both ends included, with the metadata that holds our marker. Replies are
 * only in `conversations.replies`, which always puts the thread's first message before them.
 */
export async function readMessages(
  slack: Slack,
  { channel, thread }: Conversation,
  { oldest, latest, limit, maxPages }: Range,
  call: CallOptions,
): Promise<Messages> {
  const method = thread === undefined ? 'conversations.history' : 'conversations.replies';
  const messages: Message[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < maxPages; page++) {
    const range = { oldest, ...(latest ? { latest } : {}), inclusive: true, include_all_metadata: true };
    const place = { channel, ...(thread ? { ts: thread } : {}) };
    const answer = await slack.ask(
      method,
      { ...place, ...range, limit, ...(cursor ? { cursor } : {}) },
      call,
    );
    if (!answer.ok) return answer;
    if (!Array.isArray(answer.body.messages)) return unreadable;
    messages.push(...answer.body.messages);
    cursor = (answer.body.response_metadata as { next_cursor?: string } | undefined)?.next_cursor;
    if (!cursor) return { ok: true, messages, complete: answer.body.has_more !== true };
  }
  return { ok: true, messages, complete: false };
}

/** Ten pages of 200, once per connection: `conversations.list` is Slack's tier 2 (20 calls a minute). */
const maxChannelPages = 10;

/** The ids of all channels by name; what lies beyond the bound is missing. */
export async function readChannels(slack: Slack, call: CallOptions): Promise<Map<string, string> | Refused> {
  const channels = new Map<string, string>();
  let cursor: string | undefined;
  for (let page = 0; page < maxChannelPages; page++) {
    const types = 'public_channel,private_channel';
    const args = { types, exclude_archived: true, limit: 200, ...(cursor ? { cursor } : {}) };
    const answer = await slack.ask('conversations.list', args, call);
    if (!answer.ok) return answer;
    if (!Array.isArray(answer.body.channels)) return unreadable;
    for (const { id, name } of answer.body.channels as { id: string; name: string }[]) channels.set(name, id);
    cursor = (answer.body.response_metadata as { next_cursor?: string } | undefined)?.next_cursor;
    if (!cursor) break;
  }
  return channels;
}

const unreadable: Refused = {
  ok: false,
  error: undefined,
  problem: { kind: 'ambiguous', reason: 'Slack gave an answer without the list asked for' },
};
