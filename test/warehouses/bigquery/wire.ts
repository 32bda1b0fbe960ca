import {
  type DuckDBDecimalType,
  type DuckDBListType,
  type DuckDBStructType,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBValue,
} from '@duckdb/node-api';

/** A field as the REST API describes it. */
export interface WireField {
  name: string;
  type: string;
  mode: 'NULLABLE' | 'REPEATED';
  fields?: WireField[];
}

const types: Partial<Record<DuckDBTypeId, string>> = {
  [DuckDBTypeId.BOOLEAN]: 'BOOLEAN',
  [DuckDBTypeId.FLOAT]: 'FLOAT',
  [DuckDBTypeId.DOUBLE]: 'FLOAT',
  [DuckDBTypeId.DATE]: 'DATE',
  [DuckDBTypeId.TIME]: 'TIME',
  [DuckDBTypeId.TIMESTAMP]: 'DATETIME',
  [DuckDBTypeId.TIMESTAMP_TZ]: 'TIMESTAMP',
  [DuckDBTypeId.BLOB]: 'BYTES',
  [DuckDBTypeId.VARCHAR]: 'STRING',
};

export function fieldOf(name: string, type: DuckDBType): WireField {
  if (type.typeId === DuckDBTypeId.LIST)
    return { ...fieldOf(name, (type as DuckDBListType).valueType), mode: 'REPEATED' };
  if (type.typeId === DuckDBTypeId.STRUCT) {
    const { entryNames, entryTypes } = type as DuckDBStructType;
    const fields = entryTypes.map((one, at) => fieldOf(entryNames[at] ?? '', one));
    return { name, type: 'RECORD', mode: 'NULLABLE', fields };
  }
  return { name, type: scalar(type), mode: 'NULLABLE' };
}

function scalar(type: DuckDBType): string {
  if (type.alias === 'JSON') return 'JSON';
  if (type.typeId === DuckDBTypeId.DECIMAL)
    return (type as DuckDBDecimalType).scale > 9 ? 'BIGNUMERIC' : 'NUMERIC';
  return types[type.typeId] ?? 'INTEGER';
}

/** A row as the API sends it: every scalar a text, lists as `[{v}]`, structs as `{f: [{v}]}`. */
export function wireRow(fields: readonly WireField[], row: readonly DuckDBValue[]): { f: { v: unknown }[] } {
  return { f: fields.map((field, at) => ({ v: wireValue(field, row[at] ?? null) })) };
}

function wireValue(field: WireField, value: DuckDBValue): unknown {
  // BigQuery has no null list: it is an empty one.
  if (field.mode === 'REPEATED') {
    const items = value === null ? [] : (value as { items: readonly DuckDBValue[] }).items;
    return items.map((item) => ({ v: wireValue({ ...field, mode: 'NULLABLE' }, item) }));
  }
  if (value === null) return null;
  if (field.fields) {
    const { entries } = value as { entries: Record<string, DuckDBValue> };
    return wireRow(
      field.fields,
      field.fields.map(({ name }) => entries[name] ?? null),
    );
  }
  return scalarText(field.type, value);
}

function scalarText(type: string, value: DuckDBValue): string {
  const text = String(value);
  if (type === 'TIMESTAMP') return String((value as { micros: bigint }).micros);
  if (type === 'DATETIME') return text.replace(' ', 'T');
  if (type === 'BYTES') return Buffer.from((value as { bytes: Uint8Array }).bytes).toString('base64');
  if (/NUMERIC/.test(type)) return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
  return text;
}
