import { z } from 'zod';
import type { ActionType, Fields } from '../connector.ts';
import { addressOf } from './client.ts';
import { canonical, canonicalProfile } from './normal.ts';
import { organizationFields, organizationOptions, userFields, userOptions } from './profile-schema.ts';
import { locate } from './profiles.ts';
import {
  createFields,
  createOptions,
  type Settings,
  updateByIdFields,
  updateFields,
  updateOptions,
  valueFields,
} from './schema.ts';

/**
 * Reading by id is immediate. What has to be waited out is a request that Zendesk finishes after we have lost it,
 * and the `external_id` list, for which Zendesk promises nothing (search alone is documented: up to a few minutes).
 */
const lagMs = 30_000;

const update = {
  idempotency: 'marker',
  options: updateOptions,
  maxBatch: 1,
  maxReadBatch: 100,
  concurrency: 4,
  lagMs,
  canonical,
} as const;

const pageOf = (page: string) => (id: string, settings: Record<string, unknown>) =>
  `${addressOf(settings as Settings)}/agent/${page}/${id}`;

const profile = {
  idempotency: 'upsert',
  unreadable: [],
  needsParent: false,
  maxReadBatch: 100,
  lagMs,
  locate,
  canonical: canonicalProfile,
} as const;

export const actions = {
  create_ticket: {
    summary: 'Creates a ticket, once per action.',
    idempotency: 'keyed',
    fields: createFields,
    options: createOptions,
    // A requester who exists already keeps the name Zendesk has.
    unreadable: ['requester_name'],
    needsParent: false,
    maxBatch: 1,
    maxReadBatch: 100,
    concurrency: 4,
    lagMs,
    locate: () => ({}),
    canonical,
    link: pageOf('tickets'),
    // Few agents may delete: solved, and saying why, is how a ticket is withdrawn.
    inverse: {
      action: 'update_ticket',
      fields: {
        status: 'solved',
        comment: 'Withdrawn: a later step of what this belongs to could not be done.',
      },
    },
    example: {
      fields: {
        subject: 'Restock {{ sku }} in {{ warehouse }}',
        body: '{{ sku }} will run out in {{ days_left }} days.',
        requester_email: 'supply@acme.example',
        priority: 'high',
        tags: 'readback,restock',
      },
    },
  },
  update_ticket: {
    ...update,
    summary: 'Changes or comments the ticket an earlier destination made (`follows:`).',
    fields: updateFields,
    unreadable: [],
    needsParent: true,
    locate: () => ({}),
    example: {
      fields: { status: 'solved', comment: '{{ sku }} is in stock again.' },
      options: { public: true },
    },
  },
  update_ticket_by_id: {
    ...update,
    summary: 'Changes or comments a ticket whose id the warehouse knows.',
    fields: updateByIdFields,
    unreadable: [],
    needsParent: false,
    locate: (fields: Fields) => ({ ticket_id: fields.ticket_id ?? '' }),
    example: {
      fields: {
        ticket_id: '{{ ticket_id }}',
        priority: 'urgent',
        comment: 'The SLA ends in {{ minutes }} min.',
      },
    },
  },
  set_ticket: {
    summary: 'Sets fields of a ticket, up to 100 tickets in a job.',
    // Values are set and nothing is said: the same twice leaves the same ticket.
    idempotency: 'upsert',
    fields: valueFields,
    options: z.strictObject({}),
    unreadable: [],
    needsParent: false,
    maxBatch: 100,
    maxReadBatch: 100,
    // Each lane waits for its job; Zendesk queues or runs at most 30 for an account.
    concurrency: 2,
    lagMs,
    locate: ({ ticket_id }: Fields) => (ticket_id === undefined ? {} : { ticket_id: ticket_id.trim() }),
    canonical,
    link: pageOf('tickets'),
    example: { fields: { ticket_id: '{{ ticket_id }}', priority: 'low', custom_360012: '{{ segment }}' } },
  },
  upsert_user: {
    ...profile,
    summary: 'Creates a user, or changes the one with this `external_id` or email.',
    fields: userFields,
    options: userOptions,
    maxBatch: 100,
    // Each lane waits for its job; Zendesk queues or runs at most 30 for an account.
    concurrency: 2,
    link: pageOf('users'),
    example: {
      fields: {
        external_id: '{{ customer_id }}',
        name: '{{ name }}',
        email: '{{ email }}',
        custom_plan: '{{ plan }}',
      },
    },
  },
  upsert_organization: {
    ...profile,
    summary: 'Creates an organisation, or changes the one with this `external_id`.',
    fields: organizationFields,
    options: organizationOptions,
    // Zendesk has no such job for organisations.
    maxBatch: 1,
    concurrency: 4,
    link: pageOf('organizations'),
    example: {
      fields: { external_id: '{{ account_id }}', name: '{{ account_name }}', tags: 'trial' },
    },
  },
} satisfies Record<string, ActionType>;
