import { canonicalDate, canonicalNumber, canonicalText } from '../canonical.ts';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The comparable form of a value whose column's type is not known here: what looks like a number, a point in time, a
 * uuid or JSON is compared as such, anything else as text. `null` and the empty text are one.
 */
export function canonical(_field: string, value: unknown): string {
  const text = canonicalText(value);
  if (uuid.test(text)) return text.toLowerCase();
  return canonicalNumber(text) ?? canonicalDate(text) ?? canonicalJson(text) ?? text;
}

/** Objects and arrays with their members in order; undefined for anything else. */
function canonicalJson(text: string): string | undefined {
  if (!/^[[{]/.test(text)) return undefined;
  try {
    return JSON.stringify(JSON.parse(text), (_, value: unknown) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
        : value,
    );
  } catch {
    return undefined;
  }
}
