import type { DuckDBType } from '@duckdb/node-api';
import type { Column, ColumnType } from '../warehouse.ts';

const types: Readonly<Record<string, ColumnType>> = {
  VARCHAR: 'text',
  ENUM: 'text',
  UUID: 'text',
  JSON: 'json',
  BOOLEAN: 'boolean',
  DECIMAL: 'decimal',
  FLOAT: 'float',
  DOUBLE: 'float',
  DATE: 'date',
  TINYINT: 'integer',
  SMALLINT: 'integer',
  INTEGER: 'integer',
  BIGINT: 'integer',
  HUGEINT: 'integer',
  UTINYINT: 'integer',
  USMALLINT: 'integer',
  UINTEGER: 'integer',
  UBIGINT: 'integer',
  UHUGEINT: 'integer',
  BIGNUM: 'integer',
};

/** DuckDB's name of a type and ours. Only an alias tells JSON from text. */
export function typesOf(type: DuckDBType): Pick<Column, 'type' | 'nativeType'> {
  const nativeType = type.alias ?? type.toString();
  return { nativeType, type: columnType(nativeType) };
}

function columnType(nativeType: string): ColumnType {
  if (nativeType.endsWith(']')) return 'other';
  if (nativeType.startsWith('TIMESTAMP')) return 'timestamp';
  const [name = ''] = nativeType.split('(');
  return types[name] ?? 'other';
}

/** The template that makes a column's exact text in DuckDB itself: the driver's own values cost more and lose digits. */
export function textTemplate(column: Column): string {
  if (column.type !== 'timestamp') return 'text';
  if (column.nativeType === 'TIMESTAMP WITH TIME ZONE') return 'instant_text';
  return column.nativeType === 'TIMESTAMP_NS' ? 'nanosecond_text' : 'timestamp_text';
}
