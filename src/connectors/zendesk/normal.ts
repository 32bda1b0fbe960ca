import { canonicalDate, canonicalList, canonicalNumber, canonicalText, splitList } from '../canonical.ts';
import { customProfileField } from './profile-schema.ts';
import { customField } from './schema.ts';

/** Tags as Zendesk keeps them: lower case, no blanks inside, each once. */
export function splitTags(text: string): string[] {
  return splitList(text, tagOf);
}

function tagOf(text: string): string {
  return text.toLowerCase().replace(/\s+/g, '_');
}

/** The comparable form of a field, for what was sent and for what Zendesk holds. */
export function canonical(field: string, value: unknown): string {
  if (value === null || value === undefined) return '';
  if (field === 'tags') return canonicalList(value, tagOf);
  // A multi-select field is an array in the answer and comma separated text in a template.
  if (customField.test(field) && Array.isArray(value)) return value.map(String).join(',');
  const text = String(value).replace(/\r\n?/g, '\n').trim();
  return ['priority', 'status', 'type', 'requester_email'].includes(field) ? text.toLowerCase() : text;
}

/** The comparable form of a field of a user or an organisation. Custom fields have types; the others are text. */
export function canonicalProfile(field: string, value: unknown): string {
  if (field === 'tags' || field === 'domain_names') return canonicalList(value, tagOf);
  const text = canonicalText(value);
  if (field === 'email') return text.toLowerCase();
  return customProfileField.test(field) ? (canonicalNumber(text) ?? canonicalDate(text) ?? text) : text;
}
