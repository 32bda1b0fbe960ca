import { hash } from 'node:crypto';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Linear's ids are UUIDs; whatever else stands in a field is a name. */
export function isId(text: string): boolean {
  return uuid.test(text.trim());
}

/**
 * The id of the issue or comment that an action creates: the same for every attempt, which Linear refuses to create
 * twice. It has the form of a random UUID (version 4), the only one that Linear takes.
 */
export function idOf(key: string): string {
  const digits = hash('sha256', `readback:${key}`, 'hex').slice(0, 32).split('');
  digits[12] = '4';
  digits[16] = ((Number.parseInt(digits[16] ?? '0', 16) & 3) | 8).toString(16);
  return digits.join('').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
