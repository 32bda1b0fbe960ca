import type { CallOptions, Client, Connector, Finding } from '../connector.ts';
import { oneByOne } from '../one-by-one.ts';
import { actions, write } from './actions.ts';
import { Jira } from './client.ts';
import { read } from './readback.ts';
import { type Settings, settingsSchema } from './schema.ts';

export const connector: Connector = {
  name: 'jira',
  summary: 'Jira Cloud: creates, changes, comments and closes issues, and reads them back.',
  schema: settingsSchema,
  example: [
    'work:',
    '  connector: jira',
    '  site: acme',
    '  email: readback@acme.example',
    '  api_token: env:JIRA_TOKEN',
  ].join('\n'),
  // Jira publishes no number for API tokens, only 429s; this is a tenth of what its burst limit is reported to bear.
  rateLimit: { requests: 10, perMs: 1_000 },
  actions,
  open: async (settings, gate): Promise<Client> => {
    const jira = new Jira(settings as Settings, gate);
    return {
      check: (_actions, call) => check(jira, call),
      write: (action, _options, items, call) => oneByOne(items, (item) => write(jira, action, item, call)),
      read: (action, _options, items, call) => read(jira, action, items, call),
      close: async () => {},
    };
  },
  sandbox: async (options) => (await import('./sandbox.ts')).startSandbox(options),
};

async function check(jira: Jira, call: CallOptions): Promise<Finding[]> {
  const answer = await jira.myself(call);
  if (answer.ok) return [];
  return [
    { problem: `Jira: ${answer.problem.reason}`, hint: 'Check site, email and api_token of the connection.' },
  ];
}
