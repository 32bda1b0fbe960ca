import type { CallOptions } from '../connector.ts';
import type { Refused, Slack } from './client.ts';

/** How long it is believed who has an email. */
const memoryMs = 60 * 60 * 1000;

/** Finds the conversations of direct messages by email, and remembers them: two calls for each person and hour. */
export class DirectMessages {
  readonly #slack: Slack;
  readonly #channels = new Map<string, string>();
  #forgetAt = 0;

  constructor(slack: Slack) {
    this.#slack = slack;
  }

  /** The conversation with the person who has this email; it is opened if need be, which nobody sees. */
  async channelWith(email: string, call: CallOptions): Promise<{ ok: true; channel: string } | Refused> {
    const name = email.trim().toLowerCase();
    if (performance.now() > this.#forgetAt) {
      this.#channels.clear();
      this.#forgetAt = performance.now() + memoryMs;
    }
    const known = this.#channels.get(name);
    if (known) return { ok: true, channel: known };
    const found = await this.#slack.ask('users.lookupByEmail', { email: name }, call);
    if (!found.ok) return found;
    const user = idOf(found.body.user);
    if (!user) return unreadable('a user');
    const opened = await this.#slack.ask('conversations.open', { users: user }, call);
    if (!opened.ok) return opened;
    const channel = idOf(opened.body.channel);
    if (!channel) return unreadable('a conversation');
    this.#channels.set(name, channel);
    return { ok: true, channel };
  }
}

function idOf(thing: unknown): string | undefined {
  const id = (thing as { id?: unknown } | undefined)?.id;
  return typeof id === 'string' ? id : undefined;
}

function unreadable(what: string): Refused {
  const reason = `Slack gave an answer without the id of ${what}`;
  return { ok: false, error: undefined, problem: { kind: 'ambiguous', reason } };
}
