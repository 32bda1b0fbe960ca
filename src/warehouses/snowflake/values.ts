import type { Column as DriverColumn } from 'snowflake-sdk';
import { ReadbackError } from '../../errors.ts';
import type { Column, ColumnType, Value } from '../warehouse.ts';

const types: Readonly<Record<string, ColumnType>> = {
  text: 'text',
  real: 'float',
  boolean: 'boolean',
  date: 'date',
  timestamp_ntz: 'timestamp',
  timestamp_ltz: 'timestamp',
  timestamp_tz: 'timestamp',
  variant: 'json',
  object: 'json',
  array: 'json',
  map: 'json',
};

/** What may be written without quotes, and is stored in capitals then. */
const plainName = /^[a-z_][a-z0-9_$]*$/;

const castNames: Readonly<Record<string, string>> = { text: 'VARCHAR', real: 'FLOAT', map: 'VARIANT' };

/**
 * A column as a project names it. Snowflake stores a name written without quotes in capitals, so `ID` is what everybody
 * writes as `id`; any other name is kept as it is. Throws `SIGNAL_SQL` for one that is stored as `id`, which could not be
 * told from it.
 */
export function columnOf(column: DriverColumn): Column {
  const type = column.getType();
  const nativeType = castNames[type] ?? type.toUpperCase();
  const name = column.getName();
  const shown = /^[A-Z_][A-Z0-9_$]*$/.test(name) ? name.toLowerCase() : name;
  if (shown === name && /[a-z]/.test(name) && plainName.test(name)) throw hidden(name);
  if (type === 'fixed') {
    const scale = column.getScale();
    const wide = `NUMBER(${column.getPrecision()},${scale})`;
    return { name: shown, type: scale === 0 ? 'integer' : 'decimal', nativeType: wide };
  }
  const scaled = type === 'time' || types[type] === 'timestamp';
  return {
    name: shown,
    type: types[type] ?? 'other',
    nativeType: scaled ? `${nativeType}(${column.getScale()})` : nativeType,
  };
}

/** The name in SQL: the other way round. */
export function quoteColumn(name: string): string {
  const stored = plainName.test(name) ? name.toUpperCase() : name;
  return `"${stored.replaceAll('"', '""')}"`;
}

type Decoder = (raw: string) => string;

const same: Decoder = (raw) => raw;
const decoders: Readonly<Record<string, Decoder>> = {
  boolean: (raw) => (raw === '1' ? 'true' : raw === '0' ? 'false' : raw.toLowerCase()),
  date: (raw) => new Date(Number(raw) * 86_400_000).toISOString().slice(0, 10),
  time: (raw) => momentText(raw).slice(11),
  timestamp_ntz: momentText,
  timestamp_ltz: (raw) => `${momentText(raw)}Z`,
  // Seconds and the zone's offset, which is of no use once the moment is in UTC.
  timestamp_tz: (raw) => `${momentText(raw.split(' ')[0] ?? '')}Z`,
};

/** How a column's raw values become exact text. Everything that is not a time or a boolean is exact as it comes. */
export function decoderOf(column: DriverColumn): (raw: unknown) => Value {
  const decode = decoders[column.getType()] ?? same;
  return (raw) => {
    if (raw === null || raw === undefined) return null;
    if (typeof raw !== 'string') throw strange(column);
    try {
      return decode(raw);
    } catch {
      throw strange(column);
    }
  };
}

/** `1769851800.123456000` as `2026-01-31T09:30:00.123456`; nine digits only when microseconds cannot hold it. */
function momentText(raw: string): string {
  const [, sign, whole = '', part = ''] = /^(-?)(\d+)(?:\.(\d{1,9}))?$/.exec(raw) ?? [];
  if (whole === '') throw new Error('not a number of seconds');
  let seconds = Number(whole);
  let nanoseconds = Number(part.padEnd(9, '0'));
  if (sign === '-') {
    seconds = nanoseconds === 0 ? -seconds : -seconds - 1;
    nanoseconds = nanoseconds === 0 ? 0 : 1_000_000_000 - nanoseconds;
  }
  const fraction = String(nanoseconds).padStart(9, '0').replace(/000$/, '');
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${fraction}`;
}

function strange(column: DriverColumn): ReadbackError {
  const message = `column ${column.getName()} holds a value that is no ${column.getType()}`;
  return new ReadbackError('WAREHOUSE_QUERY', message, { hint: 'cast it to varchar in the SQL' });
}

function hidden(name: string): ReadbackError {
  return new ReadbackError('SIGNAL_SQL', `the column "${name}" is stored in small letters`, {
    hint: `name it without quotes: select "${name}" as ${name}`,
  });
}
