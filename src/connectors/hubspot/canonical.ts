const emailField = /(^|_)email$/;
const isoDate = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?( ?(Z|[+-]\d{2}(:?\d{2})?))?)?$/i;
const plainNumber = /^-?(0|[1-9]\d*)(\.\d+)?$/;

/**
 * The comparable form of a HubSpot property. HubSpot keeps every value as text and lower-cases emails and domains,
 * rewrites dates and strips the zeros of numbers. Leading zeros and plus signs stay: they make postcodes and phone
 * numbers. Digits are compared as text, so no precision is lost.
 */
export function canonicalProperty(field: string, value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = (typeof value === 'object' ? JSON.stringify(value) : String(value))
    .replace(/\r\n?/g, '\n')
    .trim();
  if (emailField.test(field) || field === 'domain') return text.toLowerCase();
  if (plainNumber.test(text)) return canonicalNumber(text);
  if (/^(true|false)$/i.test(text)) return text.toLowerCase();
  return canonicalDate(text) ?? text;
}

/** The comparable form of a task field, under our own names. */
export function canonicalTaskField(field: string, value: unknown): string {
  const text = canonicalProperty(field, value);
  if (field === 'due') return canonicalDue(text) ?? text;
  return ['priority', 'type', 'status'].includes(field) ? text.toUpperCase() : text;
}

/** A due date as HubSpot wants it (ISO, UTC, milliseconds), or undefined when it is no date. */
export function canonicalDue(text: string): string | undefined {
  const trimmed = text.trim();
  // Milliseconds since 1970: 12 digits reach back to 1973, 13 go on to 2286.
  if (/^\d{12,13}$/.test(trimmed)) return new Date(Number(trimmed)).toISOString();
  return canonicalDate(trimmed);
}

function canonicalNumber(text: string): string {
  const [whole = '', fraction = ''] = text.split('.');
  const digits = fraction.replace(/0+$/, '');
  const plain = digits === '' ? whole : `${whole}.${digits}`;
  return plain === '-0' ? '0' : plain;
}

/** A date without time is its midnight in UTC, and a time without zone is UTC, as HubSpot reads them. */
function canonicalDate(text: string): string | undefined {
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
