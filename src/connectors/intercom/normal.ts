import { customField } from './schema.ts';

/** The comparable form of a field, for what was sent and for what Intercom holds. */
export function canonical(field: string, value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = String(value).replace(/\r\n?/g, '\n').trim();
  if (customField.test(field)) return comparable(text);
  if (field === 'tag' || field === 'email') return decoded(text).toLowerCase();
  // Intercom answers with names in HTML's escapes (developers.intercom.com, `escape_identity`).
  if (field === 'name') return decoded(text);
  if (field === 'phone') return text.replace(/[\s()-]/g, '');
  return field === 'body' ? decoded(text).replace(/\s+/g, ' ') : text;
}

/** The type of an attribute is not known here: numbers, yes and no, and days have one form each, whatever holds them. */
function comparable(text: string): string {
  if (/^-?\d{1,15}(\.\d{1,10})?$/.test(text)) return String(Number(text));
  if (/^(true|false)$/i.test(text)) return text.toLowerCase();
  const seconds = secondsOf(text);
  return seconds === undefined ? text : String(seconds);
}

/** Seconds since 1970 of an ISO date or timestamp. */
export function secondsOf(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?$/.test(text)) return undefined;
  const milliseconds = Date.parse(text);
  return Number.isNaN(milliseconds) ? undefined : Math.floor(milliseconds / 1000);
}

const entities: Record<string, string> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#39': "'",
  '#x27': "'",
  nbsp: ' ',
};

/** HTML's escapes undone, once for each time that they were put in. */
function decoded(text: string): string {
  const plain = text.replace(
    /&(amp|lt|gt|quot|#39|#x27|nbsp);/g,
    (whole, name: string) => entities[name] ?? whole,
  );
  return plain === text ? text : decoded(plain);
}

/** Plain text as the HTML that a note is made of. */
export function toHtml(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return escaped.trim().replace(/\r\n?|\n/g, '<br>');
}

/** A note's HTML as text, its paragraphs as lines; escapes are left to `canonical`. */
export function toText(html: string): string {
  return html
    .replace(/<br\s*\/?>|<\/p>/gi, '\n')
    .replace(/<[^>]*>/g, '')
    .trim();
}
