import type { Column, ColumnType, Value } from '../warehouse.ts';
import type { Field } from './answers.ts';

/** GoogleSQL's names for the types that the API names otherwise. */
const sqlNames: Readonly<Record<string, string>> = {
  INTEGER: 'INT64',
  FLOAT: 'FLOAT64',
  BOOLEAN: 'BOOL',
  RECORD: 'STRUCT',
};

const columnTypes: Readonly<Record<string, ColumnType>> = {
  STRING: 'text',
  INT64: 'integer',
  NUMERIC: 'decimal',
  BIGNUMERIC: 'decimal',
  FLOAT64: 'float',
  BOOL: 'boolean',
  TIMESTAMP: 'timestamp',
  DATETIME: 'timestamp',
  DATE: 'date',
  JSON: 'json',
  STRUCT: 'json',
};

/** A column as GoogleSQL names its type. Arrays and structs travel as JSON. */
export function columnOf(field: Field): Column {
  const type = isRepeated(field) ? 'json' : (columnTypes[sqlName(field)] ?? 'other');
  return { name: field.name, type, nativeType: nativeType(field) };
}

function nativeType(field: Field): string {
  const single = sqlName(field);
  const inner = (field.fields ?? []).map((one) => `${one.name} ${nativeType(one)}`).join(', ');
  const type = single === 'STRUCT' ? `STRUCT<${inner}>` : single;
  return isRepeated(field) ? `ARRAY<${type}>` : type;
}

function sqlName({ type }: Field): string {
  return sqlNames[type] ?? type;
}

function isRepeated({ mode }: Field): boolean {
  return mode === 'REPEATED';
}

/** An answer that is not what its schema says. The text says where, never what. */
export class Malformed extends Error {}

/** A row `{f: [{v}, …]}` as exact texts. The API gives every scalar as text; the SDK's own decoding loses digits. */
export function decodeRow(fields: readonly Field[], row: unknown): Value[] {
  const cells = cellsOf(fields, row);
  return fields.map((field, at) => {
    const value = cells[at];
    if (value === null) return null;
    if (isRepeated(field) || field.fields) return jsonOf(field, value);
    return exactText(field, value);
  });
}

/** The cells of a row or a struct, as many as there are fields. */
function cellsOf(fields: readonly Field[], row: unknown): unknown[] {
  const cells = row instanceof Object && 'f' in row ? row.f : undefined;
  if (!Array.isArray(cells) || cells.length !== fields.length)
    throw new Malformed('a row is not as its schema says');
  return cells.map(cellOf);
}

function cellOf(cell: unknown): unknown {
  if (cell instanceof Object && 'v' in cell) return cell.v;
  throw new Malformed('a cell has no value');
}

function exactText(field: Field, value: unknown): string {
  if (typeof value !== 'string') throw new Malformed(`a ${field.type} is not a text`);
  if (field.type === 'TIMESTAMP') return instantText(value);
  return field.type === 'DATETIME' ? datetimeText(value) : value;
}

/** Microseconds since 1970 as `2026-01-31T09:30:00.123456Z`. */
function instantText(microseconds: string): string {
  if (!/^-?\d+$/.test(microseconds)) throw new Malformed('a TIMESTAMP is not in microseconds');
  const whole = BigInt(microseconds);
  const rest = ((whole % 1000n) + 1000n) % 1000n;
  const milliseconds = (whole - rest) / 1000n;
  return `${new Date(Number(milliseconds)).toISOString().slice(0, -1)}${String(rest).padStart(3, '0')}Z`;
}

/** Always six digits after the point: BigQuery leaves them out when they are zero. */
function datetimeText(text: string): string {
  const [seconds = '', fraction = ''] = text.split('.');
  return `${seconds}.${fraction.padEnd(6, '0')}`;
}

/** As TO_JSON_STRING writes it: integers that a JavaScript number would round, and decimals, are texts. */
function jsonOf(field: Field, value: unknown): string {
  if (value === null) return 'null';
  if (!isRepeated(field)) return singleJson(field, value);
  if (!Array.isArray(value)) throw new Malformed(`${nativeType(field)} is not a list`);
  return `[${value.map((item) => singleOrNull(field, cellOf(item))).join(',')}]`;
}

function singleOrNull(field: Field, value: unknown): string {
  return value === null ? 'null' : singleJson(field, value);
}

function singleJson(field: Field, value: unknown): string {
  if (field.fields) {
    const cells = cellsOf(field.fields, value);
    const inner = field.fields.map((one, at) => `${JSON.stringify(one.name)}:${jsonOf(one, cells[at])}`);
    return `{${inner.join(',')}}`;
  }
  const text = exactText(field, value);
  const type = sqlName(field);
  if (type === 'BOOL' || type === 'JSON') return text;
  if (type === 'INT64' && Number.isSafeInteger(Number(text))) return text;
  if (type === 'FLOAT64' && Number.isFinite(Number(text))) return String(Number(text));
  return JSON.stringify(text);
}
