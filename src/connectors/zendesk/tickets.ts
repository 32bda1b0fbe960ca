import type { CallOptions, Fields, Outcome, WriteItem } from '../connector.ts';
import { rejected } from '../outcomes.ts';
import { beforeWriting } from '../rest.ts';
import type { Zendesk } from './client.ts';
import { splitTags } from './normal.ts';
import { findAudit } from './readback.ts';
import { customField } from './schema.ts';

/** Writes one ticket, or one change of one. */
export async function writeTicket(
  zendesk: Zendesk,
  action: string,
  options: Record<string, unknown>,
  item: WriteItem,
  call: CallOptions,
): Promise<Outcome> {
  if (action === 'create_ticket') return create(zendesk, options, item, call);
  const ticketId = action === 'update_ticket' ? item.parentId : item.fields.ticket_id;
  if (!ticketId || !/^\d+$/.test(ticketId)) return rejected('ticket_id', 'no numeric ticket id to work on');
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
    ...ticketRecord(rest),
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
    ...ticketRecord(rest),
    ...(comment ? { comment: { body: comment, public: options.public === true } } : {}),
    metadata: { readback_key: item.key },
  };
  const answer = await zendesk.updateTicket(ticketId, ticket, call);
  return answer.ok ? { kind: 'applied', id: ticketId } : answer.problem;
}

/** The fields of a ticket as Zendesk wants them. */
export function ticketRecord(fields: Fields): Record<string, unknown> {
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
