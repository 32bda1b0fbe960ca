import type { CallOptions, ReadItem, Reading } from '../connector.ts';
import { asked, asReading, type Problem } from '../rest.ts';
import type { Audit, Ticket, TicketList, Zendesk } from './client.ts';
import { customField } from './schema.ts';

/** What Zendesk holds now, by action key. Ids are read 100 at a time; what has no id is looked for one by one. */
export async function read(
  zendesk: Zendesk,
  action: string,
  items: ReadItem[],
  call: CallOptions,
): Promise<Map<string, Reading>> {
  const readings = new Map<string, Reading>();
  const byId: { item: ReadItem; ticketId: string; audit?: Audit }[] = [];
  for (const item of items) {
    const place = await locate(zendesk, action, item, call);
    if ('reading' in place) readings.set(item.key, place.reading);
    else byId.push({ item, ...place });
  }
  if (byId.length === 0) return readings;
  const ids = [...new Set(byId.map((one) => one.ticketId))];
  const answer = await asked(() => zendesk.showTickets(ids, call));
  for (const { item, ticketId, audit } of byId)
    readings.set(item.key, answer.ok ? reading(answer, item, ticketId, audit) : asReading(answer.problem));
  return readings;
}

type Place = { ticketId: string; audit?: Audit } | { reading: Reading };

async function locate(zendesk: Zendesk, action: string, item: ReadItem, call: CallOptions): Promise<Place> {
  if (action === 'create_ticket')
    return item.id ? { ticketId: item.id } : { reading: await byExternalId(zendesk, item, call) };
  const ticketId = item.id ?? item.parentId ?? item.locator.ticket_id;
  if (!ticketId) return { reading: { kind: 'unreadable', reason: 'no ticket id to read' } };
  if (action === 'set_ticket') return { ticketId };
  // The ticket shows the values but neither the comments nor whether it was this update that set them.
  if (item.id && !item.fields.includes('comment')) return { ticketId };
  const found = await findAudit(zendesk, ticketId, item.key, call);
  if (found.kind === 'found') return { ticketId, audit: found.audit };
  return { reading: found.kind === 'problem' ? asReading(found.problem) : found };
}

/** `external_id` is not unique in Zendesk. The oldest ticket that bears ours is the one this action made. */
async function byExternalId(zendesk: Zendesk, item: ReadItem, call: CallOptions): Promise<Reading> {
  const answer = await asked(() => zendesk.ticketsByExternalId(item.key, call));
  if (!answer.ok) return asReading(answer.problem);
  const [oldest] = answer.tickets.toSorted((a, b) => a.id - b.id);
  return oldest ? reading(answer, item, String(oldest.id)) : { kind: 'absent' };
}

/** At most this many pages of 100 audits are read: a ticket's first ones, then its last ones, where ours would be. */
const auditPages = 4;

export type Found =
  | { kind: 'found'; audit: Audit }
  | { kind: 'absent' }
  | { kind: 'unreadable'; reason: string }
  | { kind: 'problem'; problem: Problem };

/** Looks for the audit of the update that carried our key. */
export async function findAudit(
  zendesk: Zendesk,
  ticketId: string,
  key: string,
  call: CallOptions,
): Promise<Found> {
  let page = 1;
  for (let asks = 0; asks < auditPages; asks++) {
    const answer = await asked(() => zendesk.audits(ticketId, page, call));
    if (!answer.ok) return answer.gone ? { kind: 'absent' } : { kind: 'problem', problem: answer.problem };
    const audit = answer.audits.find((one) => one.metadata?.custom?.readback_key === key);
    if (audit) return { kind: 'found', audit };
    const last = Math.ceil(answer.count / 100);
    page = page === 1 ? last : page - 1;
    if (page <= 1) return { kind: 'absent' };
  }
  return {
    kind: 'unreadable',
    reason: `not among the newest audits of ticket ${ticketId}, and there are more`,
  };
}

function reading(list: TicketList, item: ReadItem, ticketId: string, audit?: Audit): Reading {
  const ticket = list.tickets.find((one) => String(one.id) === ticketId);
  if (!ticket) return { kind: 'absent' };
  const requester = list.users.find((user) => user.id === ticket.requester_id);
  if (!requester && item.fields.includes('requester_email')) {
    return { kind: 'unreadable', reason: 'the answer does not include the requester' };
  }
  const fields: Record<string, unknown> = {};
  for (const field of item.fields) {
    if (field === 'comment') fields.comment = audit?.events?.find((event) => event.type === 'Comment')?.body;
    else if (field === 'requester_email') fields.requester_email = requester?.email;
    else if (field === 'ticket_id') fields.ticket_id = ticket.id;
    else fields[field] = value(ticket, field);
  }
  return { kind: 'found', id: ticketId, fields };
}

function value(ticket: Ticket, field: string): unknown {
  const custom = customField.exec(field)?.[1];
  if (custom) return ticket.custom_fields?.find((one) => String(one.id) === custom)?.value;
  if (field === 'body') return ticket.description;
  // Dynamic content in a subject is shown rendered; `raw_subject` is what was written.
  if (field === 'subject') return ticket.raw_subject ?? ticket.subject;
  return ticket[field];
}
