import type { CallOptions, Client, Connector, Finding, Outcome, WriteItem } from '../connector.ts';
import { oneByOne } from '../one-by-one.ts';
import { actions } from './actions.ts';
import { Zendesk } from './client.ts';
import { readProfiles } from './profile-readback.ts';
import { named, profileRecord, upsertOne } from './profiles.ts';
import { read } from './readback.ts';
import { type Settings, settingsSchema } from './schema.ts';
import { setTickets } from './ticket-values.ts';
import { writeTicket } from './tickets.ts';
import { Users } from './users.ts';

export const connector: Connector = {
  name: 'zendesk',
  summary: 'Zendesk Support: writes tickets, users and organisations, and reads them back.',
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
    const users = new Users(zendesk);
    return {
      check: (_actions, call) => check(zendesk, call),
      write: async (action, options, items, call) => {
        if (action === 'set_ticket') return setTickets(zendesk, items, call);
        if (action === 'upsert_user') return users.upsert(options, items, call);
        if (action === 'upsert_organization') return writeOrganizations(zendesk, items, call);
        return oneByOne(items, (item) => writeTicket(zendesk, action, options, item, call));
      },
      read: (action, _options, items, call) => {
        if (action === 'upsert_user') return readProfiles(zendesk, 'user', items, call);
        if (action === 'upsert_organization') return readProfiles(zendesk, 'organization', items, call);
        return read(zendesk, action, items, call);
      },
      close: async () => {},
    };
  },
  sandbox: async (options) => (await import('./sandbox.ts')).startSandbox(options),
};

async function writeOrganizations(
  zendesk: Zendesk,
  items: WriteItem[],
  call: CallOptions,
): Promise<Map<string, Outcome>> {
  const { named: organizations, outcomes } = named(items);
  for (const { item } of organizations) {
    const record = profileRecord('organization', item.fields, {});
    outcomes.set(item.key, await upsertOne(zendesk, 'organization', record, call));
  }
  return outcomes;
}

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
