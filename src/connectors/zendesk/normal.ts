import { customField } from './schema.ts';

/** Tags as Zendesk keeps them: lower case, no blanks inside, each once. */
export function splitTags(text: string): string[] {
  const tags = text.split(',').map((tag) => tag.trim().toLowerCase().replace(/\s+/g, '_'));
  return [...new Set(tags.filter((tag) => tag !== ''))];
}

/** The comparable form of a field, for what was sent and for what Zendesk holds. */
export function canonical(field: string, value: unknown): string {
  if (value === null || value === undefined) return '';
  if (field === 'tags')
    return splitTags(Array.isArray(value) ? value.join(',') : String(value))
      .sort()
      .join(',');
  // A multi-select field is an array in the answer and comma separated text in a template.
  if (customField.test(field) && Array.isArray(value)) return value.map(String).join(',');
  const text = String(value).replace(/\r\n?/g, '\n').trim();
  return ['priority', 'status', 'type', 'requester_email'].includes(field) ? text.toLowerCase() : text;
}
