import type { ActionType } from '../connector.ts';
import { exampleEvent, publishing } from '../event.ts';
import { messageKey } from './message.ts';
import { slotOf } from './partition.ts';
import { publishFields, publishOptions } from './schema.ts';

/** Where brokers stamp records themselves, their clock may be this far behind ours: the search begins that much earlier. */
const clockSlackMs = 60_000;

/**
 * A leader shows nothing of what a replica in sync does not hold yet, and such a replica is in sync for this long
 * (`replica.lag.time.max.ms`): only then is what it stored certainly shown.
 */
const replicaLagMs = 30_000;

export const actions = {
  publish: {
    summary: 'Publishes a CloudEvents event to a topic.',
    idempotency: 'marker',
    fields: publishFields,
    options: publishOptions,
    ...publishing,
    maxBatch: 500,
    maxReadBatch: 500,
    concurrency: 1,
    lagMs: replicaLagMs,
    locate: (fields, options) => {
      const { topic } = publishOptions.parse(options);
      const since = new Date(Date.now() - clockSlackMs).toISOString();
      const key = messageKey(fields);
      return { topic, since, ...(key === undefined ? {} : { slot: String(slotOf(key)) }) };
    },
    example: {
      options: { topic: 'customers' },
      fields: {
        ...exampleEvent,
        data_plan: '{{ plan }}',
      },
    },
  },
} satisfies Record<string, ActionType>;
