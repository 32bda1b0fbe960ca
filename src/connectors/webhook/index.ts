import type { CallOptions, Client, Connector, Finding } from '../connector.ts';
import { oneByOne } from '../one-by-one.ts';
import { actionsFor } from './actions.ts';
import { Receiver } from './client.ts';
import { type Settings, settingsSchema } from './schema.ts';
import { Signer } from './signature.ts';

export const connector: Connector = {
  name: 'webhook',
  summary: 'Any receiver of webhooks: signed events after Standard Webhooks.',
  schema: settingsSchema,
  example: [
    'shop:',
    '  connector: webhook',
    '  url: https://shop.acme.example/hooks/readback',
    '  secret: env:SHOP_WEBHOOK_SECRET',
    '  read_url: https://shop.acme.example/events/{id}',
    '  read_token: env:SHOP_READ_TOKEN',
  ].join('\n'),
  // Receivers tell no limit; this one troubles none.
  rateLimit: { requests: 10, perMs: 1_000 },
  actions: actionsFor,
  open: async (given, gate): Promise<Client> => {
    const settings = given as Settings;
    const receiver = new Receiver(settings, await Signer.of(settings), gate);
    return {
      check: (_actions, call) => check(receiver, call),
      write: (_action, _options, items, call) =>
        oneByOne(items, ({ requestKey, fields }) => receiver.post(requestKey, fields, call)),
      read: (_action, _options, items, call) => oneByOne(items, (item) => receiver.read(item, call)),
      close: async () => receiver.close(),
    };
  },
  sandbox: async (options) => (await import('./sandbox.ts')).startSandbox(options),
};

/** Only an event can try the signature. Receivers let pass what they do not know the type of. */
async function check(receiver: Receiver, call: CallOptions): Promise<Finding[]> {
  const outcome = await receiver.post('readback-doctor', { type: 'readback.ping' }, call);
  if (!('reason' in outcome)) return [];
  return [{ problem: `The receiver: ${outcome.reason}`, hint: 'Check url and secret of the connection.' }];
}
