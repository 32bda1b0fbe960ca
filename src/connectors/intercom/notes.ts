import type { CallOptions, Outcome, ReadItem, Reading, WriteItem } from '../connector.ts';
import { asReading, beforeWriting, type Problem } from '../rest.ts';
import type { Intercom } from './client.ts';
import { toHtml, toText } from './normal.ts';

/** At most this many pages of 50 notes are read. */
const notePages = 4;

/** Notes have no field for a key, so ours is the last line of the text. */
function markOf(key: string): string {
  return `Readback ${key}`;
}

/** Intercom takes no key for notes: one that may be a repeat is looked for first. */
export async function addNote(
  intercom: Intercom,
  { key, fields, mayRepeat }: WriteItem,
  contactId: string,
  call: CallOptions,
): Promise<Outcome> {
  if (mayRepeat) {
    const found = await find(intercom, contactId, key, call);
    if (found.kind === 'found') return { kind: 'already', id: contactId };
    if (found.kind === 'problem') return beforeWriting(found.problem);
  }
  const html = `<p>${toHtml(fields.body ?? '')}</p><p>${markOf(key)}</p>`;
  const answer = await intercom.addNote(contactId, html, call);
  return answer.ok ? { kind: 'applied', id: contactId } : answer.problem;
}

export async function readNote(intercom: Intercom, item: ReadItem, call: CallOptions): Promise<Reading> {
  const contactId = item.id ?? item.parentId;
  if (!contactId) return { kind: 'unreadable', reason: 'no contact to read' };
  const found = await find(intercom, contactId, item.key, call);
  if (found.kind === 'problem') return asReading(found.problem);
  return found.kind === 'found' ? { kind: 'found', id: contactId, fields: { body: found.body } } : found;
}

type Found =
  | { kind: 'found'; body: string }
  | { kind: 'absent' }
  | { kind: 'unreadable'; reason: string }
  | { kind: 'problem'; problem: Problem };

/** The note whose text ends with our key, without it. */
async function find(intercom: Intercom, contactId: string, key: string, call: CallOptions): Promise<Found> {
  for (let page = 1; page <= notePages; page += 1) {
    const answer = await intercom.notes(contactId, page, call);
    if (!answer.ok) return answer.gone ? { kind: 'absent' } : { kind: 'problem', problem: answer.problem };
    for (const { body = '' } of answer.list) {
      const text = toText(body);
      if (text.endsWith(markOf(key))) return { kind: 'found', body: text.slice(0, -markOf(key).length) };
    }
    if (page >= answer.pages) return { kind: 'absent' };
  }
  return {
    kind: 'unreadable',
    reason: `not among ${notePages * 50} notes of the contact, and there are more`,
  };
}
