import type { CallOptions, Client, Connector, Finding, Outcome } from '../connector.ts';
import { oneByOne } from '../one-by-one.ts';
import { describedActions } from './actions.ts';
import { Api } from './client.ts';
import { example } from './example.ts';
import type { Definition } from './grammar.ts';
import { read } from './readback.ts';
import { type Settings, settingsSchema } from './schema.ts';
import { write } from './write.ts';

export const connector: Connector = {
  name: 'http',
  summary: 'Any JSON API over HTTP, described in YAML: writes as it says, and reads back.',
  schema: settingsSchema,
  example,
  // Few APIs tell their limit; this one troubles none. The connection's `rate_limit` replaces it.
  rateLimit: { requests: 10, perMs: 1_000 },
  actions: describedActions,
  open: async (settings, gate) => {
    const given = settings as Settings;
    return open(given, new Api(given, gate));
  },
  sandbox: async (options) => (await import('./sandbox.ts')).startSandbox(options),
};

function open({ actions, check: path }: Settings, api: Api): Client {
  const definitionOf = (action: string): Definition => {
    const definition = Object.hasOwn(actions, action) ? actions[action] : undefined;
    if (!definition) throw new Error(`the connection describes no action ${action}`);
    return definition;
  };
  return {
    check: (_actions, call) => check(api, path, call),
    write: (action, _options, items, call): Promise<Map<string, Outcome>> =>
      write(api, definitionOf(action), items, call),
    read: (action, _options, items, call) =>
      oneByOne(items, (item) => read(api, definitionOf(action), item, call)),
    close: async () => api.close(),
  };
}

/** Asks `check`, which must succeed; without it base_url itself, where anything but a refusal of us will do. */
async function check(api: Api, path: string | undefined, call: CallOptions): Promise<Finding[]> {
  const reply = await api.send({ method: 'GET', path: path ?? '', headers: {}, body: undefined }, call);
  if (reply.kind !== 'answered')
    return [
      { problem: `The API does not answer: ${reply.reason}`, hint: 'Check base_url of the connection.' },
    ];
  const { status } = reply;
  if (status === 401 || status === 403)
    return [{ problem: `The API answers ${status}.`, hint: 'Check the credentials of the connection.' }];
  if (status === 429 || (path !== undefined && (status < 200 || status > 299)))
    return [
      { problem: `The API answers ${status} to ${path ?? 'a request'}.`, hint: 'Check base_url and check.' },
    ];
  return [];
}
