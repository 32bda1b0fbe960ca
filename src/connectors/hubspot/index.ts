import type { Client, Connector } from '../connector.ts';
import type { Action } from './action.ts';
import { actions } from './actions.ts';
import { check } from './check.ts';
import { HubSpot } from './client.ts';
import { withPages } from './pages.ts';
import { type Settings, settingsSchema } from './schema.ts';

export const connector: Connector = {
  name: 'hubspot',
  summary:
    'HubSpot CRM: upserts records of any object, creates tasks, notes, tickets and deals, sets list members and associations, and reads them back.',
  schema: settingsSchema,
  example: ['crm:', '  connector: hubspot', '  access_token: env:HUBSPOT_TOKEN'].join('\n'),
  // Private apps on Free and Starter: 100 requests in 10 s (190 on Professional and Enterprise).
  rateLimit: { requests: 100, perMs: 10_000 },
  actions: ({ portal_id }) => (typeof portal_id === 'string' ? withPages(actions, portal_id) : actions),
  open: async (settings, gate): Promise<Client> => {
    const hubspot = await HubSpot.open(settings as Settings, gate);
    return {
      check: (wanted, call) => check(hubspot, wanted, call),
      write: (action, options, items, call) => named(action).write(hubspot, options, items, call),
      read: (action, options, items, call) => named(action).read(hubspot, options, items, call),
      close: async () => {},
    };
  },
  sandbox: async (options) => (await import('./sandbox.ts')).startSandbox(options),
};

function named(action: string): Action {
  const found = actions[action];
  if (!found) throw new Error(`HubSpot has no action ${action}`);
  return found;
}
