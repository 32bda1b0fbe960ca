import { quoteName } from '../../warehouses/compile.ts';
import { render } from '../../warehouses/template.ts';
import type { CallOptions } from '../connector.ts';
import { rejected } from '../outcomes.ts';
import type { Problem } from '../rest.ts';
import { type Database, templates } from './database.ts';
import type { Place } from './schema.ts';

/** A table's columns by name, as the catalogue has them. */
export type Columns = ReadonlyMap<string, { type: string; isText: boolean; hasDefault: boolean }>;

/** `"schema"."table"` */
export function quoteTable(table: string): string {
  return table.split('.').map(quoteName).join('.');
}

/** Asks the catalogue. */
export async function columnsOf(
  database: Database,
  table: string,
  call: CallOptions,
): Promise<{ kind: 'columns'; columns: Columns } | Problem> {
  const answer = await database.run(render(templates, 'columns', {}), [quoteTable(table)], call);
  if (answer.kind !== 'rows') return answer;
  if (answer.rows.length === 0) return rejected('table', `there is no table ${table}, or it may not be seen`);
  const columns = new Map(
    answer.rows.map(({ name, type, is_text, has_default }) => [
      String(name),
      { type: String(type), isText: isTrue(is_text), hasDefault: isTrue(has_default) },
    ]),
  );
  return { kind: 'columns', columns };
}

/** Booleans come as the driver is set: a value or Postgres's text. */
export function isTrue(value: unknown): boolean {
  return value === true || value === 't' || value === 'true';
}

/** The statement that writes these columns, the key's among them. */
export function writeStatement(place: Place, written: readonly string[], columns: Columns): string {
  const names = list(written);
  const changed = written.filter((column) => !place.key.includes(column));
  return render(templates, place.isOurs ? 'insert' : 'upsert', {
    ...common(place, written, columns),
    columns: names,
    // A row that is only a key is still answered for.
    updates: each('update', changed.length > 0 ? changed : place.key),
  });
}

/** The statement that reads these columns by key. */
export function readStatement(place: Place, fields: readonly string[], columns: Columns): string {
  return render(templates, 'read', {
    ...common(place, place.key, columns),
    fields: render(templates, 'fields', { columns: each('field', fields) }),
  });
}

/** The statement that deletes a row by its key, in the version that was read. */
export function deleteStatement(place: Place, columns: Columns): string {
  return render(templates, 'delete', common(place, place.key, columns));
}

function common({ table, key }: Place, given: readonly string[], columns: Columns): Record<string, string> {
  const values = given.map((name) => {
    const { type, isText } = columns.get(name) ?? { type: 'text', isText: true };
    const column = quoteName(name);
    const text = `'${name.replaceAll("'", "''")}'`;
    return render(templates, isText ? 'value' : 'value_or_null', { text, type, column });
  });
  return {
    table: quoteTable(table),
    first_key: quoteName(key[0] ?? ''),
    values: values.join(', '),
    key: list(key),
    id: key.length === 1 ? each('one_id', key) : render(templates, 'id', { columns: each('one_id', key) }),
  };
}

function list(names: readonly string[]): string {
  return names.map(quoteName).join(', ');
}

function each(template: string, names: readonly string[]): string {
  return names.map((name) => render(templates, template, { column: quoteName(name) })).join(', ');
}
