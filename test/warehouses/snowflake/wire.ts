import {
  DuckDBDateValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBType,
  type DuckDBValue,
} from '@duckdb/node-api';

/** A column as Snowflake's answers describe it. */
export interface RowType {
  name: string;
  type: string;
  precision: number | null;
  scale: number | null;
  length: number | null;
  nullable: boolean;
}

const integers = /^(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT|UTINYINT|USMALLINT|UINTEGER|UBIGINT|UHUGEINT)$/;
const others: Readonly<Record<string, [type: string, scale: number | null]>> = {
  DOUBLE: ['real', null],
  FLOAT: ['real', null],
  BOOLEAN: ['boolean', null],
  DATE: ['date', null],
  TIME: ['time', 6],
  TIMESTAMP: ['timestamp_ntz', 6],
  TIMESTAMP_NS: ['timestamp_ntz', 9],
  'TIMESTAMP WITH TIME ZONE': ['timestamp_tz', 6],
  JSON: ['variant', null],
  BLOB: ['binary', null],
};

/** Names that no quotes were around are stored in capitals. */
export function rowTypeOf(name: string, type: DuckDBType, sql: string): RowType {
  const native = type.alias ?? type.toString();
  const base = { name: sql.includes(`"${name}"`) ? name : name.toUpperCase(), length: null, nullable: true };
  const [, precision, scale] = /^DECIMAL\((\d+),(\d+)\)$/.exec(native) ?? [];
  if (precision) return { ...base, type: 'fixed', precision: Number(precision), scale: Number(scale) };
  if (integers.test(native)) return { ...base, type: 'fixed', precision: 38, scale: 0 };
  const [wire, wireScale] = others[native] ?? ['text', null];
  return { ...base, type: wire, precision: null, scale: wireScale };
}

/** A value as it stands in `rowset`: a text or null. */
export function wireText(value: DuckDBValue): string | null {
  if (value === null) return null;
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (value instanceof DuckDBDateValue) return String(value.days);
  if (value instanceof DuckDBTimestampTZValue) return `${seconds(value.micros * 1000n)} 1440`;
  if (value instanceof DuckDBTimestampValue) return seconds(value.micros * 1000n);
  if (value instanceof DuckDBTimestampNanosecondsValue) return seconds(value.nanos);
  return String(value);
}

function seconds(nanoseconds: bigint): string {
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  const text = `${size / 1_000_000_000n}.${String(size % 1_000_000_000n).padStart(9, '0')}`;
  return nanoseconds < 0n ? `-${text}` : text;
}
