import type { SandboxRecord } from '../connector.ts';
import type { Records } from '../records.ts';
import { type Faults, SandboxPart } from '../sandbox.ts';
import { formatPlace, isConversationId } from './place.ts';
import { asSlackKeeps } from './sandbox-markup.ts';

type Arguments = Record<string, unknown>;
type Answer = Record<string, unknown>;

const no = (error: string): Answer => ({ ok: false, error });

/** What the sandbox's Slack holds and does: the state behind the Web API methods. */
export class Workspace extends SandboxPart {
  readonly #ids = new Map<string, string>();
  readonly #users = new Map<string, string>();
  /** Message ids by conversation (`channel` or `channel:thread`), oldest first. */
  readonly #conversations = new Map<string, string[]>();
  #lastMicroseconds = 0;

  constructor(records: Records, faults: Faults) {
    super(records, faults);
    for (const name of ['general', 'retention', 'operations']) this.#channelId(name);
  }

  call(method: string, args: Arguments, stale: boolean): Answer {
    if (method === 'auth.test') return { ok: true, team: 'Sandbox', user: 'readback', user_id: 'U0SANDBOX' };
    if (method === 'conversations.list') return this.#list();
    if (method === 'users.lookupByEmail') return this.#lookUp(String(args.email));
    if (method === 'conversations.open')
      return { ok: true, channel: { id: `D${String(args.users).slice(1)}` } };
    if (method === 'chat.postMessage') return this.#post(args);
    if (method === 'chat.update') return this.#update(args);
    if (method === 'conversations.history') return this.#history(args, stale);
    if (method === 'conversations.replies') return this.#replies(args, stale);
    return no('unknown_method');
  }

  #list(): Answer {
    const channels = [...this.#ids].map(([name, id]) => ({ id, name }));
    return { ok: true, channels, response_metadata: { next_cursor: '' } };
  }

  /** Any email is someone's here, except those of `nowhere.example`. */
  #lookUp(email: string): Answer {
    if (!/^[^@\s]+@[^@\s]+$/.test(email) || email.endsWith('@nowhere.example')) return no('users_not_found');
    const id = this.#users.get(email) ?? `U0PERSON${String(this.#users.size).padStart(4, '0')}`;
    this.#users.set(email, id);
    return { ok: true, user: { id, profile: { email } } };
  }

  /** Any name or id is a channel here, except the ones that are named for what is wrong with them. */
  #channelId(channel: string): string | undefined {
    const name = channel.replace(/^#/, '');
    if (name === '' || name === 'nowhere' || name === 'C0UNKNOWN') return undefined;
    if (isConversationId(name)) return name;
    const id = this.#ids.get(name) ?? `C0NAMED${String(this.#ids.size).padStart(4, '0')}`;
    this.#ids.set(name, id);
    return id;
  }

  #post(args: Arguments): Answer {
    const channel = this.#channelId(String(args.channel ?? ''));
    if (!channel) return no('channel_not_found');
    if (channel === 'C0ARCHIVED') return no('is_archived');
    const thread = args.thread_ts === undefined ? undefined : String(args.thread_ts);
    const refused = this.#refusal(args);
    if (refused) return no(refused);
    const ts = this.#nextTs();
    const fields = { ...this.#content(args), channel, ts, ...(thread ? { thread_ts: thread } : {}) };
    const message = { type: 'message', ...fields };
    if (this.faults.take('accept_without_write', JSON.stringify(args)))
      return { ok: true, channel, ts, message };
    const id = formatPlace({ channel, ts, thread });
    this.records.put('messages', id, fields);
    const name = thread ? `${channel}:${thread}` : channel;
    const conversation = this.#conversations.get(name) ?? [];
    conversation.push(id);
    this.#conversations.set(name, conversation);
    return { ok: true, channel, ts, message };
  }

  #update(args: Arguments): Answer {
    const { channel, ts } = args;
    const [record] = this.records.find('messages', 'ts', String(ts));
    if (!record || record.fields.channel !== channel) return no('message_not_found');
    const refused = this.#refusal(args);
    if (refused) return no(refused);
    const fields = this.#content(args);
    if (!this.faults.take('accept_without_write', JSON.stringify(args))) {
      this.records.put('messages', record.id, fields);
    }
    return { ok: true, channel, ts, text: fields.text };
  }

  #history(args: Arguments, stale: boolean): Answer {
    const channel = String(args.channel);
    if (!isConversationId(channel) || !this.#channelId(channel)) return no('channel_not_found');
    return this.#page(this.#messages(channel, args, stale).reverse(), args);
  }

  /** Oldest first, and the thread's first message before all others, whatever the range. */
  #replies(args: Arguments, stale: boolean): Answer {
    const { channel, ts } = args;
    const parent = this.records.get('messages', `${channel}:${ts}`);
    if (!parent) return no('thread_not_found');
    const replies = this.#messages(`${channel}:${ts}`, args, stale);
    return this.#page(replies, args, args.cursor === undefined ? [this.#shown(parent, args)] : []);
  }

  #messages(conversation: string, args: Arguments, stale: boolean): Answer[] {
    const oldest = Number(args.oldest ?? 0);
    const latest = Number(args.latest ?? Number.POSITIVE_INFINITY);
    const inclusive = args.inclusive === 'true';
    return (this.#conversations.get(conversation) ?? []).flatMap((id) => {
      const record = stale ? this.records.before('messages', id) : this.records.get('messages', id);
      const ts = Number(record?.fields.ts);
      const inside = inclusive ? ts >= oldest && ts <= latest : ts > oldest && ts < latest;
      return record && inside ? [this.#shown(record, args)] : [];
    });
  }

  #page(all: Answer[], args: Arguments, before: Answer[] = []): Answer {
    const start = Number(args.cursor ?? 0);
    const end = start + Math.min(Number(args.limit ?? 100), 999) - before.length;
    const more = end < all.length;
    return {
      ok: true,
      messages: [...before, ...all.slice(start, end)],
      has_more: more,
      response_metadata: { next_cursor: more ? String(end) : '' },
    };
  }

  #shown({ fields }: SandboxRecord, args: Arguments): Answer {
    const { metadata, channel: _channel, ...message } = fields;
    return { type: 'message', ...message, ...(args.include_all_metadata === 'true' ? { metadata } : {}) };
  }

  #refusal(args: Arguments): string | undefined {
    if (!args.text && !args.blocks) return 'no_text';
    if (args.blocks !== undefined && parse(args.blocks) === undefined) return 'invalid_blocks_format';
    if (args.metadata !== undefined && parse(args.metadata) === undefined) return 'invalid_metadata_format';
    return this.faults.take('reject_item', JSON.stringify(args)) ? 'restricted_action' : undefined;
  }

  #content(args: Arguments): Answer {
    const text = JSON.stringify(args);
    const altered = this.faults.take('alter', text) ? `${args.text} (altered)` : String(args.text ?? '');
    const kept = this.faults.take('normalise', text) ? altered.trim() : altered;
    return {
      text: asSlackKeeps(kept),
      ...(args.blocks === undefined ? {} : { blocks: parse(args.blocks) }),
      ...(args.metadata === undefined ? {} : { metadata: parse(args.metadata) }),
    };
  }

  /** Seconds with six more digits, unlike any other. */
  #nextTs(): string {
    this.#lastMicroseconds = Math.max(Date.now() * 1000, this.#lastMicroseconds + 1);
    const digits = String(this.#lastMicroseconds);
    return `${digits.slice(0, -6)}.${digits.slice(-6)}`;
  }
}

function parse(json: unknown): unknown {
  try {
    return JSON.parse(String(json));
  } catch {
    return undefined;
  }
}
