import type { CallOptions, Client, Connector, Finding } from '../connector.ts';
import { oneByOne } from '../one-by-one.ts';
import { actions, publish } from './actions.ts';
import type { JetStream } from './client.ts';
import { read } from './readback.ts';
import { publishOptions, type Settings, settingsSchema } from './schema.ts';

export const connector: Connector = {
  name: 'nats',
  summary: 'NATS JetStream: publishes events to a stream, and reads them back from it.',
  schema: settingsSchema,
  example: [
    'events:',
    '  connector: nats',
    '  servers: nats.acme.example:4222',
    '  token: env:NATS_TOKEN',
  ].join('\n'),
  // A server of one's own has no published limit; this keeps a full outbox from being all that it does.
  rateLimit: { requests: 1_000, perMs: 1_000 },
  actions,
  open: async (settings, gate): Promise<Client> => {
    const { JetStream } = await import('./client.ts');
    const jetStream = new JetStream(settings as Settings, gate);
    return {
      check: (wanted, call) => check(jetStream, wanted, call),
      write: async (_action, options, items, call) => {
        const place = publishOptions.parse(options);
        return oneByOne(items, (item) => publish(jetStream, place, item, call));
      },
      read: (_action, _options, items, call) => oneByOne(items, (item) => read(jetStream, item, call)),
      close: () => jetStream.close(),
    };
  },
  sandbox: async (options) => (await import('./sandbox.ts')).startSandbox(options),
};

/** Each subject must have its stream, and asking for it proves the credentials. */
async function check(
  jetStream: JetStream,
  wanted: { options: Record<string, unknown> }[],
  call: CallOptions,
): Promise<Finding[]> {
  const subjects = wanted.map(({ options }) => publishOptions.parse(options).subject);
  const findings: Finding[] = [];
  for (const subject of new Set(subjects.length > 0 ? subjects : ['readback.doctor'])) {
    const answer = await jetStream.streamOf(subject, call);
    if (answer.ok || (answer.gone && subjects.length === 0)) continue;
    findings.push(
      answer.gone
        ? {
            problem: `NATS: no stream listens to ${subject}`,
            hint: `Make one: nats stream add --subjects ${subject}`,
          }
        : {
            problem: `NATS: ${answer.problem.reason}`,
            hint: 'Check servers, tls and the credentials of the connection, and that they may use $JS.API.>.',
          },
    );
    if (!answer.gone) break;
  }
  return findings;
}
