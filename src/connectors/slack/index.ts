import type { CallOptions, Client, Connector, Finding, Outcome } from '../connector.ts';
import { actions, write } from './actions.ts';
import { Slack } from './client.ts';
import { Readback } from './readback.ts';
import { type Settings, settingsSchema } from './schema.ts';

export const connector: Connector = {
  name: 'slack',
  summary: 'Slack: posts, answers and updates messages, and reads them back.',
  schema: settingsSchema,
  example: ['team:', '  connector: slack', '  bot_token: env:SLACK_BOT_TOKEN'].join('\n'),
  // Tier 3, which reading back and updating belong to. Slack counts per method; this is the smallest of ours.
  rateLimit: { requests: 50, perMs: 60_000 },
  actions,
  open: async (settings, gate): Promise<Client> => {
    const slack = await Slack.open(settings as Settings, gate);
    const readback = new Readback(slack);
    return {
      check: (_actions, call) => check(slack, call),
      write: async (action, options, items, call) => {
        const outcomes = new Map<string, Outcome>();
        for (const item of items) outcomes.set(item.key, await write(slack, action, options, item, call));
        return outcomes;
      },
      read: (action, _options, items, call) => readback.read(action, items, call),
      close: async () => {},
    };
  },
  sandbox: async (options) => (await import('./sandbox.ts')).startSandbox(options),
};

/** The token's scopes come with every answer, so one call tells whether it can post and read back. */
async function check(slack: Slack, call: CallOptions): Promise<Finding[]> {
  const answer = await slack.call('auth.test', {}, call);
  if (!answer.ok) {
    return [{ problem: answer.problem.reason, hint: 'Check bot_token (xoxb-…) of the connection.' }];
  }
  const scopes = (answer.body.response_metadata as { scopes?: string[] } | undefined)?.scopes;
  if (!scopes) return [];
  const findings: Finding[] = [];
  if (!scopes.includes('chat:write')) {
    findings.push({
      problem: 'The token may not post.',
      hint: 'Add the scope chat:write and reinstall the app.',
    });
  }
  if (!scopes.some((scope) => scope.endsWith(':history'))) {
    const hint = 'Add channels:history (groups:history for private channels) and reinstall the app.';
    findings.push({ problem: 'The token may not read messages back.', hint });
  }
  return findings;
}
