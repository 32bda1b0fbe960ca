import type { CallOptions, Fields, Outcome, ReadItem, Reading, WriteItem } from '../connector.ts';
import { rejected } from '../outcomes.ts';
import { asReading, beforeWriting } from '../rest.ts';
import type { Attributes } from './attributes.ts';
import type { Contact, Intercom } from './client.ts';
import { canonical } from './normal.ts';
import { customField } from './schema.ts';

/** What finds the contact again. */
export function locate(fields: Fields, { id_property }: Record<string, unknown>): Record<string, string> {
  const property = id_property === 'email' ? 'email' : 'external_id';
  return { [property]: fields[property]?.trim() ?? '' };
}

/**
 * Looks the contact up, then changes or creates it. Intercom has no upsert; what it refuses as a conflict names the
 * contact that is in the way, which is changed only when it is the one that is meant.
 */
export async function upsert(
  intercom: Intercom,
  attributes: Attributes,
  options: Record<string, unknown>,
  { fields }: WriteItem,
  call: CallOptions,
): Promise<Outcome> {
  const [[property, value] = ['', '']] = Object.entries(locate(fields, options));
  if (value === '') return rejected('id_property', `${property} is empty`);
  const typed = await attributes.typed(fields, call);
  if ('outcome' in typed) return typed.outcome;
  const named = Object.entries(fields).filter(([field]) => !customField.test(field));
  const body = {
    ...Object.fromEntries(named.map(([field, text]) => [field, plainValue(field, text)])),
    ...typed.values,
  };
  const found = await find(intercom, property, value, call);
  if (!found.ok) return beforeWriting(found.problem);
  if (found.list.length > 1)
    return rejected('ambiguous', `${found.list.length} contacts have this ${property}`);
  const [contact] = found.list;
  if (contact) return said(await intercom.updateContact(contact.id, body, call), contact.id);
  const created = await intercom.createContact(body, call);
  if (created.ok) return { kind: 'applied', id: created.contact.id };
  const { problem } = created;
  const inTheWay = problem.kind === 'rejected' ? rival(problem) : undefined;
  if (inTheWay === undefined) return problem;
  // The search does not know it yet, or it is another with the same email.
  const rivalContact = await intercom.contact(inTheWay, call);
  if (!rivalContact.ok) return beforeWriting(rivalContact.problem);
  if (canonical(property, rivalContact.contact[property]) !== canonical(property, value)) return problem;
  return said(await intercom.updateContact(inTheWay, body, call), inTheWay);
}

export async function readContact(intercom: Intercom, item: ReadItem, call: CallOptions): Promise<Reading> {
  if (item.id === undefined) return readByLocator(intercom, item, call);
  const answer = await intercom.contact(item.id, call);
  if (answer.ok) return reading(answer.contact, item);
  if (answer.gone) return { kind: 'absent' };
  const merged = answer.problem.kind === 'rejected' && answer.problem.code === 'merged';
  return merged
    ? { kind: 'unreadable', reason: 'the contact was merged into another' }
    : asReading(answer.problem);
}

async function readByLocator(intercom: Intercom, item: ReadItem, call: CallOptions): Promise<Reading> {
  const [[property, value] = ['', '']] = Object.entries(item.locator);
  if (value === '') return { kind: 'unreadable', reason: 'nothing to find the contact by' };
  const found = await find(intercom, property, value, call);
  if (!found.ok) return asReading(found.problem);
  if (found.list.length > 1)
    return { kind: 'unreadable', reason: `${found.list.length} contacts have this ${property}` };
  const [contact] = found.list;
  return contact ? reading(contact, item) : { kind: 'absent' };
}

/** The contacts with this external id or email. A search may bring others, so each is compared. */
async function find(intercom: Intercom, property: string, value: string, call: CallOptions) {
  const found = await (property === 'email'
    ? intercom.contactsByEmail(value, call)
    : intercom.contactsByExternalId(value, call));
  if (!found.ok) return found;
  const isMeant = (contact: Contact) => canonical(property, contact[property]) === canonical(property, value);
  return { ...found, list: found.list.filter(isMeant) };
}

function reading(contact: Contact, { fields }: ReadItem): Reading {
  const fieldOf = (field: string) => {
    const custom = customField.exec(field)?.[1];
    return custom ? contact.custom_attributes?.[custom] : contact[field];
  };
  return {
    kind: 'found',
    id: contact.id,
    fields: Object.fromEntries(fields.map((field) => [field, fieldOf(field)])),
  };
}

/** The owner is a number, which the API wants as one. */
function plainValue(field: string, text: string): string | number {
  const value = text.trim();
  return field === 'owner_id' && /^\d{1,15}$/.test(value) ? Number(value) : value;
}

/** "A contact matching those details already exists with id=5da6f18e3d7cf967e4582d05"; not that of an archived one. */
function rival({ code, reason }: { code: string; reason: string }): string | undefined {
  return code === 'conflict' && !/archived/i.test(reason) ? /\bid=(\w+)/.exec(reason)?.[1] : undefined;
}

function said(answer: Awaited<ReturnType<Intercom['updateContact']>>, id: string): Outcome {
  if (!answer.ok) return answer.problem;
  return answer.contact.id === id
    ? { kind: 'applied', id }
    : { kind: 'ambiguous', reason: 'the answer is about another contact' };
}
