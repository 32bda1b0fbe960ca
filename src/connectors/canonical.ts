const isoDate = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?( ?(Z|[+-]\d{2}(:?\d{2})?))?)?$/i;
const plainNumber = /^-?(0|[1-9]\d*)(\.\d+)?$/;

/** Any value as text with one kind of line end and without outer spaces; nothing is empty text. */
export function canonicalText(value: unknown): string {
  if (value === null || value === undefined) return '';
  return (typeof value === 'object' ? JSON.stringify(value) : String(value)).replace(/\r\n?/g, '\n').trim();
}

/** Comma separated text as its parts, each once and none empty, in the vendor's form. */
export function splitList(text: string, form = (part: string) => part): string[] {
  const parts = text.split(',').map((part) => form(part.trim()));
  return [...new Set(parts.filter((part) => part !== ''))];
}

/** The same list in any order and in either of the forms that lists come in: an array, or comma separated text. */
export function canonicalList(value: unknown, form?: (part: string) => string): string {
  const text = Array.isArray(value) ? value.join(',') : String(value ?? '');
  return splitList(text, form).sort().join(',');
}

/**
 * A decimal number without trailing zeros, or undefined when the text is none. Leading zeros and plus signs make
 * postcodes and phone numbers, not numbers. Digits are compared as text, so no precision is lost.
 */
export function canonicalNumber(text: string): string | undefined {
  if (!plainNumber.test(text)) return undefined;
  const [whole = '', fraction = ''] = text.split('.');
  const digits = fraction.replace(/0+$/, '');
  const plain = digits === '' ? whole : `${whole}.${digits}`;
  return plain === '-0' ? '0' : plain;
}

/**
 * A date or timestamp in UTC with milliseconds, or undefined when the text is none. A date without time is its midnight,
 * and a time without zone is UTC.
 */
export function canonicalDate(text: string): string | undefined {
  const match = isoDate.exec(text);
  if (!match) return undefined;
  const [, time = '', , , , zone = ''] = match;
  const offset = /^[+-]\d{2}$/.test(zone) ? `${zone}:00` : zone.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2');
  const clock = time.slice(1).replace(/ ?(Z|[+-][\d:]+)$/i, '') || '00:00';
  const date = new Date(`${text.slice(0, 10)}T${clock}${offset.toUpperCase() || 'Z'}`);
  // A day that does not exist rolls over in some engines; then it was no date.
  return Number.isNaN(date.getTime()) || !realDay(text.slice(0, 10)) ? undefined : date.toISOString();
}

function realDay(day: string): boolean {
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}
