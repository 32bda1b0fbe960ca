import type { ActionType, CallOptions, Fields, Outcome, WriteItem } from '../connector.ts';
import { beforeWriting } from '../rest.ts';
import { addressOf, type Zendesk } from './client.ts';
import { canonical, splitTags } from './normal.ts';
import { findAudit } from './readback.ts';
import {
  createFields,
  createOptions,
  customField,
  type Settings,
  updateByIdFields,
  updateFields,
  updateOptions,
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
    link: (id, settings) => `${addressOf(settings as Settings)}/agent/tickets/${id}`,
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
} satisfies Record<string, ActionType>;

/** Writes one action. */
export async function write(
  zendesk: Zendesk,
  action: string,
  options: Record<string, unknown>,
  item: WriteItem,
  call: CallOptions,
): Promise<Outcome> {
  if (action === 'create_ticket') return create(zendesk, options, item, call);
  const ticketId = action === 'update_ticket' ? item.parentId : item.fields.ticket_id;
  if (!ticketId || !/^\d+$/.test(ticketId))
    return {
      kind: 'rejected',
      code: 'ticket_id',
      reason: 'no numeric ticket id to work on',
      permanent: true,
    };
  return change(zendesk, options, item, ticketId, call);
}

/** The `Idempotency-Key` covers two hours; `external_id` is how the ticket is found after that. */
async function create(
  zendesk: Zendesk,
  options: Record<string, unknown>,
  item: WriteItem,
  call: CallOptions,
): Promise<Outcome> {
  const { body, requester_email: email, requester_name: name, ...rest } = item.fields;
  const ticket = {
    ...common(rest),
    external_id: item.key,
    comment: { body, public: options.public !== false },
    ...(email || name ? { requester: { ...(name && { name }), ...(email && { email }) } } : {}),
  };
  const answer = await zendesk.createTicket(ticket, item.requestKey, call);
  if (!answer.ok) return answer.problem;
  return { kind: answer.replayed ? 'already' : 'applied', id: answer.ticketId };
}

/**
 * Zendesk takes no idempotency key on an update. Setting a value twice does no harm, a comment said twice does: so
 * before a comment that may be a repeat, the ticket's audits are asked whether this very update is already there.
 */
async function change(
  zendesk: Zendesk,
  options: Record<string, unknown>,
  item: WriteItem,
  ticketId: string,
  call: CallOptions,
): Promise<Outcome> {
  const { comment, ticket_id: _, ...rest } = item.fields;
  if (comment && item.mayRepeat) {
    const found = await findAudit(zendesk, ticketId, item.key, call);
    if (found.kind === 'found') return { kind: 'already', id: ticketId };
    if (found.kind === 'problem') return beforeWriting(found.problem);
  }
  const ticket = {
    ...common(rest),
    ...(comment ? { comment: { body: comment, public: options.public === true } } : {}),
    metadata: { readback_key: item.key },
  };
  const answer = await zendesk.updateTicket(ticketId, ticket, call);
  return answer.ok ? { kind: 'applied', id: ticketId } : answer.problem;
}

function common(fields: Fields): Record<string, unknown> {
  const ticket: Record<string, unknown> = {};
  const custom: { id: number; value: string }[] = [];
  for (const [field, value] of Object.entries(fields)) {
    const id = customField.exec(field)?.[1];
    if (id) custom.push({ id: Number(id), value });
    else if (field === 'tags') ticket.tags = splitTags(value);
    else if (field.endsWith('_id')) ticket[field] = /^\d+$/.test(value.trim()) ? Number(value) : value;
    else ticket[field] = value;
  }
  if (custom.length > 0) ticket.custom_fields = custom;
  return ticket;
}
