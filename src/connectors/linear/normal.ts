import { splitList } from '../canonical.ts';

/** Linear's numbers for its words. */
export const priorities = ['none', 'urgent', 'high', 'medium', 'low'];

/** The comparable form of a field, for what was sent and for what Linear holds. */
export function canonical(field: string, value: unknown): string {
  if (value === null || value === undefined) return '';
  if (field === 'labels')
    return (Array.isArray(value) ? value.map(String) : splitList(String(value))).sort().join(',');
  const text = String(value).replace(/\r\n?/g, '\n').trim();
  if (field === 'priority') {
    const known = priorities.indexOf(text.toLowerCase());
    return known < 0 ? text : String(known);
  }
  if (field === 'team') return text.toUpperCase();
  return field === 'assignee' ? text.toLowerCase() : text;
}
