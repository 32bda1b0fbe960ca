import type pg from 'pg';
import type { Deadline } from '../deadline.ts';
import { render, type Templates } from '../template.ts';
import type { Column } from '../warehouse.ts';
import { columnType } from './values.ts';

/** Parses and describes a statement by the extended protocol, and never executes it. Only one statement is accepted. */
class Description {
  readonly fields: Promise<pg.FieldDef[] | undefined>;
  readonly #text: string;
  #found: pg.FieldDef[] | undefined;
  #resolve = (_: pg.FieldDef[] | undefined): void => {};
  #reject = (_: Error): void => {};

  constructor(text: string) {
    this.#text = text;
    this.fields = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  submit(connection: pg.Connection): void {
    connection.parse({ name: '', text: this.#text, types: [] }, true);
    connection.describe({ type: 'S', name: '' }, true);
    connection.sync();
  }

  handleRowDescription(message: { fields: pg.FieldDef[] }): void {
    this.#found = message.fields;
  }

  /** The driver forgets a query that failed: no `readyForQuery` comes after this. */
  handleError(error: Error): void {
    this.#reject(error);
  }

  handleReadyForQuery(): void {
    this.#resolve(this.#found);
  }
}

/** The columns of a statement; undefined when it returns no rows. */
export async function fieldsOf(
  client: pg.ClientBase,
  sql: string,
  deadline: Deadline,
): Promise<pg.FieldDef[] | undefined> {
  const { fields } = client.query(new Description(sql));
  return deadline.race(fields);
}

/** Columns with their types as Postgres names them, usable in a cast. */
export async function columnsOf(
  client: pg.ClientBase,
  fields: readonly pg.FieldDef[],
  templates: Templates,
  deadline: Deadline,
): Promise<Column[]> {
  const names = fields.map(({ dataTypeID, dataTypeModifier }) =>
    render(templates, 'type_name', { type: String(dataTypeID), modifier: String(dataTypeModifier) }),
  );
  const text = render(templates, 'types', { names: names.join(', ') });
  const { rows } = await deadline.race(client.query<string[]>({ text, rowMode: 'array' }));
  return fields.map((field, at) => ({
    name: field.name,
    type: columnType(field.dataTypeID),
    nativeType: rows[0]?.[at] ?? 'text',
  }));
}
