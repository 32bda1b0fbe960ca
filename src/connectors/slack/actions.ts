import type { ActionType, CallOptions, Fields, Outcome, WriteItem } from '../connector.ts';
import { rejected } from '../outcomes.ts';
import { beforeWriting } from '../rest.ts';
import type { Slack } from './client.ts';
import type { DirectMessages } from './direct.ts';
import { formatPlace, parsePlace } from './place.ts';
import {
  directFields,
  messageFields,
  postFields,
  postOptions,
  replyOptions,
  updateOptions,
} from './schema.ts';
import { canonicalText } from './text.ts';

/** Clocks differ: a message is looked for from this long before the time the attempt was written down. */
const clockSlackSeconds = 300;

const message = {
  // Slack gives blocks back rewritten (ids, defaults), so they cannot be compared.
  unreadable: ['blocks'],
  escape: { filter: 'slack_escape', fields: ['text'] },
  maxBatch: 1,
  // One page of history holds many messages of a channel, so reading back costs far less than a call each.
  maxReadBatch: 100,
  // Slack takes about one message a second per channel; more at once only earns 429s.
  concurrency: 2,
  // History shows a message at once; what is waited out is a post that Slack finishes after we have lost the call.
  lagMs: 10_000,
  canonical: (field: string, value: unknown) =>
    field === 'text' ? canonicalText(value) : String(value ?? '').trim(),
} as const;

/** Not deleted: who has read it already should see what became of it. */
const inverse = {
  action: 'update_message',
  fields: { text: '_Withdrawn: a later step of what this belongs to could not be done._' },
};

const since = () => String(Math.floor(Date.now() / 1000) - clockSlackSeconds);

export const actions = {
  post_message: {
    ...message,
    summary: 'Posts a message to a channel.',
    idempotency: 'marker',
    fields: postFields,
    options: postOptions,
    // A name is answered with an id. The message is read from the channel it is in, or not found.
    unreadable: ['channel', 'blocks'],
    needsParent: false,
    locate: (fields: Fields) => ({ channel: fields.channel ?? '', since: since() }),
    inverse,
    example: {
      fields: { channel: '#retention', text: '*{{ name }}* may leave ({{ churn_probability | percent }}).' },
    },
  },
  send_direct_message: {
    ...message,
    summary: 'Sends a message to one person, found by email.',
    idempotency: 'marker',
    fields: directFields,
    options: postOptions,
    // A message knows the conversation it is in, not by which address the person was found.
    unreadable: ['email', 'blocks'],
    needsParent: false,
    locate: (fields: Fields) => ({ email: fields.email ?? '', since: since() }),
    inverse,
    example: {
      fields: { email: '{{ owner_email }}', text: '*{{ name }}* is yours since {{ assigned_at | date }}.' },
    },
  },
  reply_in_thread: {
    ...message,
    summary: 'Replies in the thread of the message an earlier destination posted (`follows:`).',
    idempotency: 'marker',
    fields: messageFields,
    options: replyOptions,
    needsParent: true,
    locate: () => ({ since: since() }),
    inverse,
    example: { fields: { text: '{{ name }} has left the list.' }, options: { reply_broadcast: true } },
  },
  update_message: {
    ...message,
    summary: 'Replaces the text of the message an earlier destination posted (`follows:`).',
    idempotency: 'upsert',
    fields: messageFields,
    options: updateOptions,
    needsParent: true,
    locate: () => ({}),
    example: { fields: { text: '~{{ name }} may leave.~ Handled.' } },
  },
} satisfies Record<string, ActionType>;

/**
 * `metadata.event_type` of every message we post or update; `event_payload.key` is the key of the last action that
 * wrote it. An update may take the place of the post's key: it is only made once the post's `ts` is known.
 */
export const eventType = 'readback_action';

/** Writes one action. */
export async function write(
  slack: Slack,
  directMessages: DirectMessages,
  action: string,
  options: Record<string, unknown>,
  item: WriteItem,
  call: CallOptions,
): Promise<Outcome> {
  const { channel, email, text, blocks } = item.fields;
  const begins = channel !== undefined || email !== undefined;
  const parent = begins ? undefined : parsePlace(item.parentId);
  if (!begins && !parent) {
    return rejected('no_parent', 'no message to work on');
  }
  const content = {
    text,
    ...(blocks ? { blocks } : {}),
    metadata: { event_type: eventType, event_payload: { key: item.key } },
  };
  if (action === 'update_message' && parent) {
    const place = { channel: parent.channel, ts: parent.ts };
    const answer = await slack.call('chat.update', { ...place, ...content }, call);
    return answer.ok ? written(answer.body, parent.thread) : answer.problem;
  }
  const direct = email === undefined ? undefined : await directMessages.channelWith(email, call);
  if (direct && !direct.ok) return beforeWriting(direct.problem);
  // A reply to a reply belongs to the thread's first message.
  const thread = parent && (parent.thread ?? parent.ts);
  const answer = await slack.call(
    'chat.postMessage',
    {
      channel: parent?.channel ?? direct?.channel ?? channel,
      ...content,
      ...(thread ? { thread_ts: thread } : {}),
      ...options,
    },
    call,
  );
  return answer.ok ? written(answer.body, thread) : answer.problem;
}

function written(body: Record<string, unknown>, thread: string | undefined): Outcome {
  const { channel, ts, is_duplicate } = body;
  if (typeof channel !== 'string' || typeof ts !== 'string') {
    return { kind: 'ambiguous', reason: 'Slack gave an answer without channel and ts' };
  }
  const id = formatPlace({ channel, ts, thread });
  return { kind: is_duplicate === true ? 'already' : 'applied', id };
}
