import { canonicalDate, canonicalNumber, canonicalText } from '../canonical.ts';

const emailField = /(^|_)email$/;

/**
 * The comparable form of a HubSpot property. HubSpot keeps every value as text and lower-cases emails and domains,
 * rewrites dates (as UTC where they have no zone) and strips the zeros of numbers.
 */
export function canonicalProperty(field: string, value: unknown): string {
  const text = canonicalText(value);
  if (emailField.test(field) || field === 'domain') return text.toLowerCase();
  if (/^(true|false)$/i.test(text)) return text.toLowerCase();
  return canonicalNumber(text) ?? canonicalDate(text) ?? text;
}

/** A due date as HubSpot wants it (ISO, UTC, milliseconds), or undefined when it is no date. */
export function canonicalDue(text: string): string | undefined {
  const trimmed = text.trim();
  // Milliseconds since 1970: 12 digits reach back to 1973, 13 go on to 2286.
  if (/^\d{12,13}$/.test(trimmed)) return new Date(Number(trimmed)).toISOString();
  return canonicalDate(trimmed);
}
