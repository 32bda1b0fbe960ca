import type { CallOptions, Client, Connector, Finding } from '../connector.ts';
import { actions, write } from './actions.ts';
import { Linear } from './client.ts';
import { Names } from './names.ts';
import { read } from './readback.ts';
import { type Settings, settingsSchema } from './schema.ts';

export const connector: Connector = {
  name: 'linear',
  summary: 'Linear: creates, changes, comments and cancels issues, and reads them back.',
  schema: settingsSchema,
  example: ['product:', '  connector: linear', '  api_key: env:LINEAR_API_KEY'].join('\n'),
  // 2,500 requests an hour for a key (linear.app/developers/rate-limiting), as a bucket that fills steadily.
  rateLimit: { requests: 40, perMs: 60_000 },
  actions,
  open: async (settings, gate): Promise<Client> => {
    const linear = new Linear(settings as Settings, gate);
    const names = new Names(linear);
    return {
      check: (_actions, call) => check(linear, call),
      write: (action, _options, items, call) => write(linear, names, action, items, call),
      read: (action, _options, items, call) => read(linear, action, items, call),
      close: async () => {},
    };
  },
  sandbox: async (options) => (await import('./sandbox.ts')).startSandbox(options),
};

async function check(linear: Linear, call: CallOptions): Promise<Finding[]> {
  const answer = await linear.ask('Viewer', {}, call);
  if (answer.ok) return [];
  return [{ problem: `Linear: ${answer.problem.reason}`, hint: 'Check api_key of the connection.' }];
}
