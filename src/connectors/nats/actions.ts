import type { ActionType, CallOptions, Outcome, WriteItem } from '../connector.ts';
import { eventFields, eventOf, exampleEvent, publishing } from '../event.ts';
import type { JetStream } from './client.ts';
import { placeId } from './place.ts';
import { type PublishOptions, publishOptions } from './schema.ts';

/** Clocks of server and process may be this far apart: the search for a message begins that much earlier. */
const clockSlackMs = 60_000;

export const actions = {
  publish: {
    summary: 'Publishes a CloudEvents event to a subject that a JetStream stream stores.',
    idempotency: 'keyed',
    fields: eventFields(),
    options: publishOptions,
    ...publishing,
    maxBatch: 1,
    maxReadBatch: 1,
    concurrency: 16,
    // The stream's leader answers for what it has stored.
    lagMs: 0,
    locate: (_fields, options) => {
      const { subject, stream } = publishOptions.parse(options);
      const since = new Date(Date.now() - clockSlackMs).toISOString();
      return { subject, ...(stream === undefined ? {} : { stream }), since };
    },
    example: {
      options: { subject: 'customers.at_risk' },
      fields: {
        ...exampleEvent,
        data_plan: '{{ plan }}',
      },
    },
  },
} satisfies Record<string, ActionType>;

/** Publishes one action. An acknowledgement without a place in a stream is none. */
export async function publish(
  jetStream: JetStream,
  options: PublishOptions,
  { key, requestKey, fields }: WriteItem,
  call: CallOptions,
): Promise<Outcome> {
  const answer = await jetStream.publish(eventOf(key, fields), requestKey, options, call);
  if (!answer.ok) return answer.problem;
  const { stream, seq, duplicate } = answer.value;
  if (typeof stream !== 'string' || !Number.isSafeInteger(seq))
    return { kind: 'ambiguous', reason: 'NATS gave an acknowledgement without stream and sequence' };
  return { kind: duplicate ? 'already' : 'applied', id: placeId(stream, seq) };
}
