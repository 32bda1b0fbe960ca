import { z } from 'zod';
import { canonicalText } from '../canonical.ts';
import type { Actions, ActionType } from '../connector.ts';
import { eventFields } from './schema.ts';

export const unreadable = 'a webhook has no way to ask its receiver what it holds; read_url gives one';

const sendEvent: ActionType = {
  summary:
    'Posts an event `{type, timestamp, data}`, signed by Standard Webhooks; every other field is data.',
  // The receiver drops an event whose webhook-id it has seen.
  idempotency: 'keyed',
  fields: eventFields,
  options: z.strictObject({}),
  // When it is absent it is another one with each attempt.
  unreadable: ['timestamp'],
  needsParent: false,
  maxBatch: 1,
  maxReadBatch: 1,
  concurrency: 4,
  lagMs: 10_000,
  locate: () => ({}),
  canonical: (_field, value) => canonicalText(value),
  example: { fields: { type: 'stock.low', sku: '{{ sku }}', days_left: '{{ days_left }}' } },
};

/** Without an address to ask nothing can be read back. */
export function actionsFor({ read_url }: Record<string, unknown>): Actions {
  return { send_event: read_url === undefined ? { ...sendEvent, unverifiable: unreadable } : sendEvent };
}
