import type { Client, Connector, Finding } from '../connector.ts';
import { actions, write } from './actions.ts';
import { Zendesk } from './client.ts';
import { read } from './readback.ts';
import { type Settings, settingsSchema } from './schema.ts';

export const connector: Connector = {
  name: 'zendesk',
  summary: 'Zendesk Support: creates, changes and comments tickets, and reads them back.',
  schema: settingsSchema,
  example: [
    'support:',
    '  connector: zendesk',
    '  subdomain: acme',
    '  email: readback@acme.example',
    '  api_token: env:ZENDESK_TOKEN',
  ].join('\n'),
  // The lowest plan's limit (Team: 200 a minute; others 400–2,500); raise it with `rate_limit` on the connection.
  rateLimit: { requests: 200, perMs: 60_000 },
  actions,
  open: async (settings, gate): Promise<Client> => {
    const zendesk = new Zendesk(settings as Settings, gate);
    return {
      check: (_actions, call) => check(zendesk, call),
      write: async (action, options, items, call) => {
        const outcomes = new Map();
        for (const item of items) outcomes.set(item.key, await write(zendesk, action, options, item, call));
        return outcomes;
      },
      read: (action, _options, items, call) => read(zendesk, action, items, call),
      close: async () => {},
    };
  },
  sandbox: async (options) => (await import('./sandbox.ts')).startSandbox(options),
};

async function check(zendesk: Zendesk, call: Parameters<Client['check']>[1]): Promise<Finding[]> {
  const me = await zendesk.me(call);
  if (!me.ok)
    return [
      {
        problem: `Zendesk: ${me.problem.reason}`,
        hint: 'Check subdomain, email and api_token of the connection.',
      },
    ];
  // Zendesk answers 200 with a nameless user when it does not recognise the credentials.
  if (me.role === undefined)
    return [{ problem: 'Zendesk does not know these credentials.', hint: 'Check email and api_token.' }];
  if (me.role === 'end-user')
    return [{ problem: 'The Zendesk user is an end user.', hint: 'Use the email of an agent or an admin.' }];
  return [];
}
