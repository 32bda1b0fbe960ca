import type { Faults, SandboxAnswer } from '../sandbox.ts';
import { splitTags } from './normal.ts';

/** A ticket as a client sends it. */
export interface Sent extends Record<string, unknown> {
  comment?: { body?: string; public?: boolean };
  requester?: { name?: string; email?: string };
  metadata?: unknown;
  tags?: string[];
  custom_fields?: { id: number; value: unknown }[];
}

const allowed: Record<string, readonly string[]> = {
  priority: ['low', 'normal', 'high', 'urgent'],
  status: ['new', 'open', 'pending', 'hold', 'solved', 'closed'],
  type: ['problem', 'incident', 'question', 'task'],
};

/** What the sandbox's Zendesk refuses, in the form of its 422. */
export function refusal(sent: Sent, creating: boolean): SandboxAnswer | undefined {
  const details: Record<string, { description: string }[]> = {};
  if (creating && !sent.comment?.body) details.base = [{ description: 'Description: cannot be blank' }];
  for (const [field, values] of Object.entries(allowed)) {
    const value = sent[field];
    if (value === undefined || values.includes(String(value).toLowerCase())) continue;
    details[field] = [{ description: `${field}: ${String(value)} is not valid` }];
  }
  const email = sent.requester?.email;
  if (email !== undefined && !/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(email)) {
    details.requester = [{ description: `Email: ${email} is not properly formatted` }];
  }
  if (Object.keys(details).length === 0) return undefined;
  return { status: 422, body: { error: 'RecordInvalid', description: 'Record validation errors', details } };
}

/** The ticket as the `normalise` and `alter` faults let it in. */
export function taken(faults: Faults, sent: Sent): Sent {
  const text = JSON.stringify(sent);
  if (faults.take('alter', text)) {
    const changed = { ...sent };
    if (sent.comment) changed.comment = { ...sent.comment, body: `${sent.comment.body} (altered)` };
    if (sent.subject !== undefined) changed.subject = `${sent.subject} (altered)`;
    if (sent.priority !== undefined) changed.priority = sent.priority === 'low' ? 'urgent' : 'low';
    return changed;
  }
  if (faults.take('normalise', text)) {
    const changed = { ...sent };
    if (typeof sent.subject === 'string') changed.subject = ` ${sent.subject} `.trim();
    if (sent.comment?.body) changed.comment = { ...sent.comment, body: `${sent.comment.body.trim()}\r\n` };
    if (sent.tags) changed.tags = sent.tags.toReversed();
    return changed;
  }
  return sent;
}

/** The fields a ticket holds after taking in what was sent. Comments are kept on the ticket, to be counted. */
export function stored(before: Record<string, unknown>, sent: Sent): Record<string, unknown> {
  const { comment, requester: _requester, metadata: _metadata, tags, custom_fields, ...rest } = sent;
  const fields: Record<string, unknown> = { ...rest };
  delete fields.safe_update;
  delete fields.updated_stamp;
  for (const field of Object.keys(allowed)) {
    if (fields[field] !== undefined) fields[field] = String(fields[field]).toLowerCase();
  }
  if (typeof rest.subject === 'string') fields.raw_subject = rest.subject;
  if (tags) fields.tags = splitTags(tags.join(','));
  if (comment) {
    const comments = (before.comments as string[] | undefined) ?? [];
    fields.comments = [...comments, comment.body];
    fields.description = before.description ?? comment.body;
  }
  if (custom_fields) {
    const kept = (before.custom_fields as { id: number; value: unknown }[] | undefined) ?? [];
    const ids = new Set(custom_fields.map((field) => field.id));
    fields.custom_fields = [...kept.filter((field) => !ids.has(field.id)), ...custom_fields];
  }
  return fields;
}
