/** Where a message is: Slack knows it by channel and `ts`, and a reply also needs its thread to be found. */
export interface Place {
  channel: string;
  ts: string;
  thread: string | undefined;
}

/** Our id of a message: `channel:ts`, or `channel:ts:thread` for a reply. */
export function formatPlace({ channel, ts, thread }: Place): string {
  return thread === undefined ? `${channel}:${ts}` : `${channel}:${ts}:${thread}`;
}

export function parsePlace(id: string | undefined): Place | undefined {
  const [, channel, ts, thread] = /^([A-Z0-9]+):(\d+\.\d+)(?::(\d+\.\d+))?$/.exec(id ?? '') ?? [];
  return channel && ts ? { channel, ts, thread } : undefined;
}

/** A conversation's id (public, private, direct), as opposed to a name or a user. */
export function isConversationId(channel: string): boolean {
  return /^[CGD][A-Z0-9]{6,}$/.test(channel);
}
