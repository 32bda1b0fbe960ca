import { z } from 'zod';
import type { ActionType, Fields } from '../connector.ts';
import { locate } from './contacts.ts';
import { canonical } from './normal.ts';
import { contactFields, contactOptions, noteFields, tagFields } from './schema.ts';

/** Reading by id is immediate. A search follows after a while that Intercom does not state. */
const lagMs = 60_000;

const common = {
  options: z.strictObject({}),
  unreadable: [],
  maxBatch: 1,
  maxReadBatch: 1,
  concurrency: 4,
  lagMs,
  canonical,
} as const;

const tagging = {
  ...common,
  idempotency: 'upsert',
  fields: tagFields,
  needsParent: true,
  locate: ({ tag = '' }: Fields) => ({ tag: tag.trim() }),
  example: { fields: { tag: 'churn risk' } },
} as const;

export const actions = {
  upsert_contact: {
    ...common,
    summary: 'Creates or updates a contact, by an id of yours or by email.',
    idempotency: 'upsert',
    fields: contactFields,
    options: contactOptions,
    needsParent: false,
    locate,
    example: {
      fields: { external_id: '{{ customer_id }}', email: '{{ email }}', custom_plan: '{{ plan }}' },
      options: { id_property: 'external_id' },
    },
  },
  tag_contact: {
    ...tagging,
    summary: 'Puts a tag on the contact of an earlier destination (`follows:`).',
    // What undoes it sees no row, so that only a tag that is written out can be taken off.
    inverse: ({ fields }) =>
      /\{[{%]/.test(fields.tag ?? '') ? undefined : { action: 'untag_contact', fields },
  },
  untag_contact: {
    ...tagging,
    summary: 'Takes a tag from the contact of an earlier destination (`follows:`).',
  },
  note_contact: {
    ...common,
    summary: 'Adds a note to the contact of an earlier destination (`follows:`).',
    idempotency: 'marker',
    fields: noteFields,
    needsParent: true,
    locate: () => ({}),
    example: { fields: { body: 'The plan ends on {{ renewal_on }}.' } },
  },
} satisfies Record<string, ActionType>;
