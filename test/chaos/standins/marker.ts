import { findEntities, findMark, findReference, type Mark } from './mark.ts';
import { isTrue, pageOf } from './marker-pages.ts';
import {
  type Call,
  type How,
  otherCall,
  type Protocol,
  page,
  parseObject,
  type Reply,
  type Write,
} from './protocol.ts';
import { Records } from './records.ts';

interface Message {
  channel: string;
  /** Seconds and six more digits: the message's name within its channel. */
  ts: string;
  thread_ts?: string;
  text: string;
  metadata?: unknown;
  /** Whom it was about when it was posted. */
  about?: Mark | undefined;
}

type Arguments = Record<string, unknown>;

/** A chat that speaks Slack's Web API. Every conversation id exists, and every name that was once posted to. */
export function markerProtocol(): Protocol {
  const messages = new Records<Message>();
  /** The `ts` of a conversation's messages, oldest first. */
  const conversations = new Map<string, string[]>();
  const channelIds = new Map<string, string>();
  let lastMicroseconds = 0;

  function channelId(channel: string): string | undefined {
    if (/^[CGD][A-Z0-9]{2,}$/.test(channel)) return channel;
    const name = channel.replace(/^#/, '');
    if (name === '') return undefined;
    const id = channelIds.get(name) ?? `C0NAMED${String(channelIds.size).padStart(4, '0')}`;
    channelIds.set(name, id);
    return id;
  }

  function nextTs(): string {
    lastMicroseconds = Math.max(Date.now() * 1000, lastMicroseconds + 1);
    const digits = String(lastMicroseconds);
    return `${digits.slice(0, -6)}.${digits.slice(-6)}`;
  }

  function post(args: Arguments): Call {
    const text = String(args.text ?? '');
    const metadata = parseObject(args.metadata) as { event_payload?: { key?: string } };
    const mark = findMark(text);
    const write: Write = { mark, key: metadata.event_payload?.key ?? null, refers: findReference(text) };
    const run = (how: How): Reply => {
      const refusal = how.refusal(write);
      if (refusal) return slackSays[refusal] as Reply;
      const channel = channelId(String(args.channel ?? ''));
      if (channel === undefined) return no('channel_not_found');
      if (text === '' && args.blocks === undefined) return no('no_text');
      const message: Message = {
        channel,
        ts: nextTs(),
        ...(args.thread_ts === undefined ? {} : { thread_ts: String(args.thread_ts) }),
        text: how.tidy ? marked(escaped(text)).trim() : escaped(text),
        ...(args.metadata === undefined ? {} : { metadata }),
        about: mark,
      };
      how.put(write, () => store(message));
      return yes({ channel, ts: message.ts, message: shown(message, false) });
    };
    return { kind: 'write', entities: mark ? [mark.entity] : [], writes: [write], run };
  }

  function store(message: Message): string {
    const { channel, ts, thread_ts: thread } = message;
    const id = `${channel}:${ts}`;
    messages.put(id, message);
    const name = thread === undefined ? channel : `${channel}:${thread}`;
    const times = conversations.get(name) ?? [];
    conversations.set(name, times);
    // A late one belongs before those that came meanwhile, all of them near the end.
    let place = times.length;
    while (place > 0 && (times[place - 1] as string) > ts) place -= 1;
    times.splice(place, 0, ts);
    return id;
  }

  /** An update is what takes a message back: no other is sent here. */
  function update(args: Arguments): Call {
    const { channel, ts, text = '' } = args;
    const id = `${channel}:${ts}`;
    const metadata = parseObject(args.metadata) as { event_payload?: { key?: string } };
    const mark = messages.get(id)?.about;
    const write: Write = { mark, key: metadata.event_payload?.key ?? null, undoes: true };
    const run = (how: How): Reply => {
      const refusal = how.refusal(write);
      if (refusal) return slackSays[refusal] as Reply;
      const held = messages.get(id);
      if (!held) return no('message_not_found');
      const changed = { ...held, text: escaped(String(text)), metadata };
      how.put(write, () => {
        messages.put(id, changed);
        return id;
      });
      return yes({ channel, ts, text: changed.text, message: shown(changed, false) });
    };
    return { kind: 'write', entities: mark ? [mark.entity] : [], writes: [write], run };
  }

  function history(args: Arguments, thread?: string): Call {
    const channel = String(args.channel ?? '');
    const name = thread === undefined ? channel : `${channel}:${thread}`;
    const run = ({ staleMs }: How): Reply => {
      if (!/^[CGD][A-Z0-9]{2,}$/.test(channel)) return no('channel_not_found');
      const parent = thread === undefined ? undefined : messages.get(`${channel}:${thread}`);
      if (thread !== undefined && !parent) return no('thread_not_found');
      const { page, cursor } = pageOf(conversations.get(name) ?? [], args);
      const found = page.flatMap((ts) => messages.get(`${channel}:${ts}`, staleMs) ?? []);
      if (thread !== undefined) found.reverse();
      if (parent && args.cursor === undefined) found.unshift(parent);
      const withMetadata = isTrue(args.include_all_metadata);
      return yes({
        messages: found.map((message) => shown(message, withMetadata)),
        has_more: cursor !== '',
        pin_count: 0,
        response_metadata: { next_cursor: cursor },
      });
    };
    const { page } = pageOf(conversations.get(name) ?? [], args);
    const entities = page.flatMap((ts) => findEntities(messages.get(`${channel}:${ts}`)?.text ?? ''));
    return { kind: 'read', entities: [...new Set(entities)], writes: [], run };
  }

  function channels(): Reply {
    const all = [...channelIds].map(([name, id]) => ({ id, name, is_channel: true, is_archived: false }));
    return yes({ channels: all, response_metadata: { next_cursor: '' } });
  }

  function info(channel: string): Reply {
    if (!/^[CGD][A-Z0-9]{2,}$/.test(channel)) return no('channel_not_found');
    const name = [...channelIds].find(([, id]) => id === channel)?.[0] ?? channel.toLowerCase();
    return yes({ channel: { id: channel, name, is_channel: true, is_archived: false, is_member: true } });
  }

  return {
    understand({ path, query, headers, text }) {
      const [, method] = /^\/api\/([a-z.A-Z]+)$/.exec(path) ?? [];
      if (!method) return otherCall({ status: 404, body: '' });
      const isJson = String(headers['content-type'] ?? '').includes('json');
      const args: Arguments = {
        ...Object.fromEntries(query),
        ...(isJson ? parseObject(text) : Object.fromEntries(new URLSearchParams(text))),
      };
      if (headers.authorization === undefined && args.token === undefined) return otherCall(no('not_authed'));
      if (method === 'auth.test') return otherCall(whoAmI);
      if (method === 'chat.postMessage') return post(args);
      if (method === 'chat.update') return update(args);
      if (method === 'conversations.history') return history(args);
      if (method === 'conversations.replies') return history(args, String(args.ts));
      if (method === 'conversations.list') return otherCall(channels());
      if (method === 'conversations.info') return otherCall(info(String(args.channel)));
      return otherCall(no('unknown_method'));
    },
    says: slackSays,
    refuses: ['bad', 'gone_404', 'gone_410'],
    records: () => messages.list(),
  };
}

function shown({ channel: _, about: __, metadata, ...message }: Message, withMetadata: boolean): object {
  const posted = { type: 'message', user: 'U0CHAOS', bot_id: 'B0CHAOS', ...message };
  return withMetadata && metadata ? { ...posted, metadata } : posted;
}

/** Slack escapes what a sender left bare. */
function escaped(text: string): string {
  return text.replace(/&(?!amp;|lt;|gt;)/g, '&amp;');
}

/** Slack's own spelling of links, addresses and emoji. */
function marked(text: string): string {
  return text
    .replace(/(?<![<|])https?:\/\/[^\s|>]+/g, '<$&>')
    .replace(/(?<![:|\w.])[\w.+-]+@[\w-]+\.[\w.]+\w/g, '<mailto:$&|$&>')
    .replaceAll('\u{1F44D}', ':+1:')
    .replaceAll('\u2705', ':white_check_mark:');
}

function yes(body: object): Reply {
  return { status: 200, body: { ok: true, ...body } };
}

function no(error: string): Reply {
  return { status: 200, body: { ok: false, error } };
}

const whoAmI: Reply = {
  ...yes({
    url: 'https://acme.slack.com/',
    team: 'Acme',
    user: 'readback',
    team_id: 'T0CHAOS',
    user_id: 'U0CHAOS',
    bot_id: 'B0CHAOS',
  }),
  headers: { 'x-oauth-scopes': 'chat:write,channels:history,channels:read' },
};

/** Slack says most of it with status 200; a definite no has a name. */
const slackSays: Protocol['says'] = {
  accepted: { status: 202, body: { ok: true } },
  bad: no('restricted_action'),
  broken: { status: 500, body: { ok: false, error: 'internal_error' } },
  error_body: no('fatal_error'),
  gone_404: no('channel_not_found'),
  gone_410: no('is_archived'),
  throttled: { status: 429, body: { ok: false, error: 'ratelimited' } },
  timeout: page(504, '504 Gateway Time-out'),
  too_large: no('msg_too_long'),
  unauthorized: no('invalid_auth'),
  unavailable: { status: 503, body: { ok: false, error: 'service_unavailable' } },
};
