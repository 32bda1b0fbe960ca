import type { Client, Connector } from '../connector.ts';
import { actions, write } from './actions.ts';
import { check } from './check.ts';
import { Salesforce } from './client.ts';
import { read } from './readback.ts';
import { type Settings, settingsSchema } from './schema.ts';

export const connector: Connector = {
  name: 'salesforce',
  summary:
    'Salesforce: upserts records of any object, tasks, cases and campaign members, and reads them back.',
  schema: settingsSchema,
  example: [
    'sales:',
    '  connector: salesforce',
    '  instance_url: https://acme.my.salesforce.com',
    '  client_id: env:SALESFORCE_CLIENT_ID',
    '  client_secret: env:SALESFORCE_CLIENT_SECRET',
  ].join('\n'),
  // Salesforce counts the requests of 24 hours, of everybody: at least 100,000 in Enterprise Edition. This is 96,000 of them.
  rateLimit: { requests: 1000, perMs: 15 * 60_000 },
  actions,
  open: async (settings, gate): Promise<Client> => {
    const salesforce = new Salesforce(settings as Settings, gate);
    return {
      check: (wanted, call) => check(salesforce, wanted, call),
      write: (action, options, items, call) => write(salesforce, action, options, items, call),
      read: (action, options, items, call) => read(salesforce, action, options, items, call),
      close: async () => {},
    };
  },
  sandbox: async (options) => (await import('./sandbox.ts')).startSandbox(options),
};
