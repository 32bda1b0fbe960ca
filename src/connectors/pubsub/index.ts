import type { Actions, CallOptions, Client, Connector, Finding } from '../connector.ts';
import { exampleEvent, publishing } from '../event.ts';
import { checkTopics } from '../topics.ts';
import { PubSub } from './client.ts';
import { publish } from './publish.ts';
import { publishFields, publishOptions, type Settings, settingsSchema } from './schema.ts';

const unverifiable =
  'Pub/Sub hands messages to subscriptions only, and cannot be asked what a topic was given';

const actions: Actions = {
  publish: {
    summary: 'Publishes a CloudEvents event to a topic.',
    idempotency: 'none',
    unverifiable,
    fields: publishFields,
    options: publishOptions,
    ...publishing,
    // "1,000 messages per publish request" and 10 MB (cloud.google.com/pubsub/quotas).
    maxBatch: 1_000,
    maxReadBatch: 1_000,
    concurrency: 1,
    lagMs: 0,
    locate: () => ({}),
    example: {
      options: { topic: 'customers' },
      fields: {
        ...exampleEvent,
        ordering_key: '{{ company }}',
      },
    },
  },
};

export const connector: Connector = {
  name: 'pubsub',
  summary: 'Google Pub/Sub: publishes events to topics. What a topic was given cannot be read back.',
  schema: settingsSchema,
  example: [
    'events:',
    '  connector: pubsub',
    '  project: acme-events',
    '  credentials: env:PUBSUB_CREDENTIALS',
  ].join('\n'),
  // Far below the quota of the smallest regions, which counts bytes: 200 MB/s (cloud.google.com/pubsub/quotas).
  rateLimit: { requests: 100, perMs: 1_000 },
  actions,
  open: async (settings, gate): Promise<Client> => {
    const pubSub = new PubSub(settings as Settings, gate);
    return {
      check: (wanted, call) => check(pubSub, wanted, call),
      write: (_action, options, items, call) =>
        publish(pubSub, publishOptions.parse(options).topic, items, call),
      read: async (_action, _options, items) =>
        new Map(items.map(({ key }) => [key, { kind: 'unreadable', reason: unverifiable }])),
      close: async () => {},
    };
  },
  sandbox: async (options) => (await import('./sandbox.ts')).startSandbox(options),
};

function check(
  pubSub: PubSub,
  wanted: { options: Record<string, unknown> }[],
  call: CallOptions,
): Promise<Finding[]> {
  const topics = wanted.map(({ options }) => publishOptions.parse(options).topic);
  return checkTopics(topics, async (topic, isWanted) => {
    const answer = await pubSub.mayPublish(topic, call);
    if (answer.ok ? answer.may || !isWanted : answer.gone && !isWanted) return undefined;
    if (!answer.ok)
      return {
        problem: `Pub/Sub: ${answer.problem.reason}`,
        hint: 'Check project, credentials and endpoint of the connection.',
      };
    return {
      problem: `Pub/Sub: there is no topic ${topic}, or the account may not publish to it`,
      hint: 'Make the topic, and give the account roles/pubsub.publisher on it.',
    };
  });
}
