import { canonicalList, splitList } from '../canonical.ts';
import { tidy } from './document.ts';
import { customField } from './schema.ts';

/** The label by which an issue of ours is found when no answer came back. */
export function ourLabel(key: string): string {
  return `readback-${key}`;
}

/** Labels as Jira takes them: no blanks inside, each once. */
export function splitLabels(text: string): string[] {
  return splitList(text, withoutBlanks);
}

/** A label as Jira takes it. */
export function withoutBlanks(label: string): string {
  return label.trim().replace(/\s+/g, '_');
}

/** The comparable form of a field, for what was sent and for what Jira holds. */
export function canonical(field: string, value: unknown): string {
  if (value === null || value === undefined) return '';
  if (field === 'labels') return canonicalList(value, withoutBlanks);
  const text = tidy(String(value));
  if (field === 'label') return withoutBlanks(text);
  if (field === 'summary') return text.replace(/\s+/g, ' ');
  // 12.50 and 12.5 are the same number to a number field.
  if (customField.test(field) && /^-?\d+(\.\d+)?$/.test(text)) return String(Number(text));
  return ['status', 'priority', 'issue_type', 'project', 'parent'].includes(field)
    ? text.toLowerCase()
    : text;
}
