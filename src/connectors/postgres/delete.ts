import type { CallOptions, Outcome, ReadItem, Reading, Undone, WriteItem } from '../connector.ts';
import { rejected } from '../outcomes.ts';
import { asReading, beforeWriting, type Problem } from '../rest.ts';
import type { Database, Row } from './database.ts';
import type { Rows } from './rows.ts';
import type { Place } from './schema.ts';
import { type Columns, deleteStatement, isTrue, readStatement } from './table.ts';

/** Which version of a row it is: each update of a row gives it another. */
const version = 'xmin';

/** Takes rows that `insert_row` made out of their table, one by one. */
export class Deletions {
  readonly #database: Database;
  readonly #place: Place;
  readonly #rows: Rows;

  constructor(database: Database, place: Place, rows: Rows) {
    this.#database = database;
    this.#place = place;
    this.#rows = rows;
  }

  /** An undoing deletes the row as it has read it: when that is changed in between, nothing is deleted. */
  async write({ key, parentId, undone }: WriteItem, call: CallOptions): Promise<Outcome> {
    if (!parentId) return rejected('parent', 'no row to delete');
    const columns = await this.#rows.known(call);
    if ('kind' in columns) return beforeWriting(columns);
    const row = undone && (await this.#standing(key, parentId, [...columns.keys(), version], columns, call));
    if (row && 'kind' in row) return beforeWriting(row);
    const changed =
      undone && row?.found ? changedColumn(row.values, columns, this.#place, undone) : undefined;
    if (changed !== undefined)
      return rejected('changed', `not deleted: somebody has changed ${changed} since the row was inserted`);
    const given = { ...this.#named(parentId), [version]: row?.values[version] };
    const sql = deleteStatement(this.#place, columns);
    const answer = await this.#database.run(sql, [JSON.stringify([{ key, row: given }])], call);
    return answer.kind === 'rows' ? outcomeOf(answer.rows[0], parentId) : answer;
  }

  /** Not to be found is deleted. */
  async read({ key, id, parentId }: ReadItem, call: CallOptions): Promise<Reading> {
    const wanted = id ?? parentId;
    if (!wanted) return { kind: 'unreadable', reason: 'no row to read' };
    const columns = await this.#rows.known(call);
    if ('kind' in columns) return asReading(columns);
    const row = await this.#standing(key, wanted, [], columns, call);
    if ('kind' in row) return asReading(row);
    return { kind: 'found', id: wanted, fields: { deleted: String(!row.found) } };
  }

  async #standing(
    key: string,
    id: string,
    fields: string[],
    columns: Columns,
    call: CallOptions,
  ): Promise<{ found: boolean; values: Row } | Problem> {
    const asked = [{ key, row: this.#named(id) }];
    const answer = await this.#database.run(
      readStatement(this.#place, fields, columns),
      [JSON.stringify(asked)],
      call,
    );
    if (answer.kind !== 'rows') return answer;
    const [row] = answer.rows;
    if (!row) return { kind: 'ambiguous', reason: 'the answer tells of no such row' };
    const values = (typeof row.fields === 'string' ? JSON.parse(row.fields) : row.fields) as unknown[];
    return {
      found: isTrue(row.found),
      values: Object.fromEntries(fields.map((name, at) => [name, values[at]])),
    };
  }

  #named(id: string): Row {
    return { [this.#place.key[0] ?? '']: id };
  }
}

function outcomeOf(row: Row | undefined, id: string): Outcome {
  if (!row) return { kind: 'ambiguous', reason: 'the answer tells of no such row' };
  if (isTrue(row.is_deleted)) return { kind: 'applied', id };
  if (!isTrue(row.stood)) return { kind: 'already', id };
  return row.cascading === null
    ? { kind: 'ambiguous', reason: 'no row was deleted: it was changed meanwhile, or a trigger keeps it' }
    : rejected('cascade', `not deleted: rows of ${row.cascading} would be deleted or changed with it`);
}

/**
 * A column that no longer has what was inserted. One that the insert left out was null then, unless it has a default: what
 * that was is not known.
 */
function changedColumn(values: Row, columns: Columns, { key }: Place, undone: Undone): string | undefined {
  const isChanged = (name: string): boolean => {
    if (key.includes(name)) return false;
    if (undone.fields.includes(name)) return !undone.isAsWritten(name, values[name]);
    return columns.get(name)?.hasDefault === false && values[name] !== null;
  };
  return [...columns.keys()].find(isChanged);
}
