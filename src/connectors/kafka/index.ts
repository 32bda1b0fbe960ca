import type { CallOptions, Client, Connector, Finding } from '../connector.ts';
import { checkTopics } from '../topics.ts';
import { actions } from './actions.ts';
import type { Kafka } from './client.ts';
import { publish } from './publish.ts';
import { read } from './readback.ts';
import { publishOptions, type Settings, settingsSchema } from './schema.ts';

export const connector: Connector = {
  name: 'kafka',
  summary: 'Apache Kafka: publishes events to topics, and reads them back from their partitions.',
  schema: settingsSchema,
  example: [
    'events:',
    '  connector: kafka',
    '  brokers: kafka-1.acme.example:9093, kafka-2.acme.example:9093',
    '  sasl: scram-sha-256',
    '  user: readback',
    '  password: env:KAFKA_PASSWORD',
  ].join('\n'),
  // A request carries up to 500 events; brokers of one's own have no published limit, but quotas, which are heeded.
  rateLimit: { requests: 200, perMs: 1_000 },
  actions,
  open: async (settings, gate): Promise<Client> => {
    const { Kafka } = await import('./client.ts');
    const kafka = new Kafka(settings as Settings, gate);
    return {
      check: (wanted, call) => check(kafka, wanted, call),
      write: (_action, options, items, call) => publish(kafka, publishOptions.parse(options), items, call),
      read: (_action, _options, items, call) => read(kafka, items, call),
      close: () => kafka.close(),
    };
  },
  sandbox: async (options) => (await import('./sandbox.ts')).startSandbox(options),
};

function check(
  kafka: Kafka,
  wanted: { options: Record<string, unknown> }[],
  call: CallOptions,
): Promise<Finding[]> {
  const topics = wanted.map(({ options }) => publishOptions.parse(options).topic);
  return checkTopics(topics, async (topic, isWanted) => {
    const answer = await kafka.layout(topic, call, true);
    if (answer.ok || (answer.gone && !isWanted)) return undefined;
    const hint = answer.gone
      ? `Make it: kafka-topics.sh --create --topic ${topic}`
      : 'Check brokers, tls, sasl, user and password of the connection, and the rights of the user.';
    return { problem: `Kafka: ${answer.problem.reason}`, hint };
  });
}
