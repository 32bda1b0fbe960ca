import type { CallOptions, Client, Connector, Finding } from '../connector.ts';
import { oneByOne } from '../one-by-one.ts';
import { actions, write } from './actions.ts';
import { Slack } from './client.ts';
import { DirectMessages } from './direct.ts';
import { Readback } from './readback.ts';
import { type Settings, settingsSchema } from './schema.ts';

export const connector: Connector = {
  name: 'slack',
  summary: 'Slack: posts, answers and updates messages, sends direct ones, and reads them back.',
  schema: settingsSchema,
  example: ['team:', '  connector: slack', '  bot_token: env:SLACK_BOT_TOKEN'].join('\n'),
  // Tier 3, which reading back and updating belong to. Slack counts per method; this is the smallest of ours.
  rateLimit: { requests: 50, perMs: 60_000 },
  actions,
  open: async (settings, gate): Promise<Client> => {
    const slack = await Slack.open(settings as Settings, gate);
    const directMessages = new DirectMessages(slack);
    const readback = new Readback(slack, directMessages);
    return {
      check: (actions, call) =>
        check(
          slack,
          actions.map(({ action }) => action),
          call,
        ),
      write: (action, options, items, call) =>
        oneByOne(items, (item) => write(slack, directMessages, action, options, item, call)),
      read: (action, _options, items, call) => readback.read(action, items, call),
      close: async () => {},
    };
  },
  sandbox: async (options) => (await import('./sandbox.ts')).startSandbox(options),
};

/** The token's scopes come with every answer, so one call tells whether it can post and read back. */
async function check(slack: Slack, used: string[], call: CallOptions): Promise<Finding[]> {
  const answer = await slack.call('auth.test', {}, call);
  if (!answer.ok) {
    return [{ problem: answer.problem.reason, hint: 'Check bot_token (xoxb-…) of the connection.' }];
  }
  const scopes = (answer.body.response_metadata as { scopes?: string[] } | undefined)?.scopes;
  if (!scopes) return [];
  const findings: Finding[] = [];
  const need = (has: boolean, problem: string, add: string) => {
    if (!has) findings.push({ problem, hint: `Add ${add} and reinstall the app.` });
  };
  need(scopes.includes('chat:write'), 'The token may not post.', 'the scope chat:write');
  need(
    scopes.some((scope) => scope.endsWith(':history')),
    'The token may not read messages back.',
    'channels:history (groups:history for private channels)',
  );
  const missing = directScopes.filter((scope) => !scopes.includes(scope));
  need(
    !used.includes('send_direct_message') || missing.length === 0,
    'The token may not send direct messages by email and read them back.',
    missing.join(', '),
  );
  return findings;
}

/** To find the person, to open the conversation, and to read it. */
const directScopes = ['users:read', 'users:read.email', 'im:write', 'im:history'];
