import type { CustomTypesConfig } from 'pg';
import type { ColumnType } from '../warehouse.ts';

/** Object ids of the built-in types; Postgres never changes them. */
const columnTypes: Readonly<Record<number, ColumnType>> = {
  16: 'boolean',
  18: 'text',
  19: 'text',
  20: 'integer',
  21: 'integer',
  23: 'integer',
  25: 'text',
  26: 'integer',
  114: 'json',
  700: 'float',
  701: 'float',
  1042: 'text',
  1043: 'text',
  1082: 'date',
  1114: 'timestamp',
  1184: 'timestamp',
  1700: 'decimal',
  2950: 'text',
  3802: 'json',
};

export function columnType(oid: number): ColumnType {
  return columnTypes[oid] ?? 'other';
}

const decoders: Readonly<Record<number, (text: string) => string>> = {
  16: (text) => (text === 't' ? 'true' : 'false'),
  1114: timestampText,
  1184: timestampText,
};

const same = (text: string): string => text;

/** Texts as Postgres writes them. The driver's own parsers lose digits of numbers and the microseconds of times. */
export const exactTexts: CustomTypesConfig = {
  getTypeParser: ((oid: number) => decoders[oid] ?? same) as CustomTypesConfig['getTypeParser'],
};

/** `2026-01-31 09:30:00.12+00` as `2026-01-31T09:30:00.120000Z`. Infinity and years outside 1 to 9999 stay as they are. */
function timestampText(text: string): string {
  if (text[10] !== ' ' || text.endsWith('C')) return text;
  const zoned = text.endsWith('+00');
  const end = zoned ? text.length - 3 : text.length;
  const fraction = end > 19 ? text.slice(20, end) : '';
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${fraction.padEnd(6, '0')}${zoned ? 'Z' : ''}`;
}
