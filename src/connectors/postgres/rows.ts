import { createHash } from 'node:crypto';
import type { CallOptions, Fields, Outcome, ReadItem, Reading, WriteItem } from '../connector.ts';
import { inHalves } from '../halves.ts';
import { rejected } from '../outcomes.ts';
import { asReading, beforeWriting, type Problem } from '../rest.ts';
import { inRounds } from '../rounds.ts';
import type { Database, Row } from './database.ts';
import { isOfOneRow } from './errors.ts';
import type { Place } from './schema.ts';
import { type Columns, columnsOf, isTrue, readStatement, writeStatement } from './table.ts';

/** One table as an action sees it. The catalogue is asked once. */
export class Rows {
  readonly #database: Database;
  readonly #place: Place;
  #columns: Columns | undefined;

  constructor(database: Database, place: Place) {
    this.#database = database;
    this.#place = place;
  }

  /** Rows of one statement must have the same columns and different keys; the others follow in statements of their own. */
  async write(items: WriteItem[], call: CallOptions): Promise<Map<string, Outcome>> {
    const outcomes = new Map<string, Outcome>();
    const columns = await this.known(call);
    if ('kind' in columns) {
      for (const { key } of items) outcomes.set(key, beforeWriting(columns));
      return outcomes;
    }
    const sound = items.filter((item) => {
      const problem = this.#problemOf(item.fields, columns);
      if (problem) outcomes.set(item.key, problem);
      return !problem;
    });
    for (const round of inRounds(sound, (item) => JSON.stringify(this.#keyOf(item, columns))))
      for (const alike of byColumns(round))
        await inHalves(alike, (some) => this.#send(some, columns, call, outcomes));
    return outcomes;
  }

  async read(items: ReadItem[], call: CallOptions): Promise<Map<string, Reading>> {
    const columns = await this.known(call);
    if ('kind' in columns) return all(items, asReading(columns));
    const fields = [...new Set(items.flatMap((item) => item.fields))];
    const problem = this.#problemOf(Object.fromEntries(fields.map((name) => [name, ''])), columns);
    if (problem) return all(items, asReading(problem));
    const asked = items.map((item) => ({ key: item.key, row: this.#keyOf(item, columns) }));
    const sql = readStatement(this.#place, fields, columns);
    const answer = await this.#database.run(sql, [JSON.stringify(asked)], call);
    if (answer.kind !== 'rows') return all(items, asReading(answer));
    const readings = all(items, { kind: 'failed', reason: 'the answer tells of no such row' });
    for (const row of answer.rows) readings.set(String(row.action), readingOf(row, fields));
    return readings;
  }

  /** The table's columns, as they were when they were first asked for. */
  async known(call: CallOptions): Promise<Columns | Problem> {
    if (this.#columns) return this.#columns;
    const found = await columnsOf(this.#database, this.#place.table, call);
    if (found.kind !== 'columns') return found;
    this.#columns = found.columns;
    return found.columns;
  }

  /** A column may have been added since the catalogue was asked: after a refusal it is asked again. */
  #problemOf(fields: Fields, columns: Columns): Problem | undefined {
    const { table, key, isOurs } = this.#place;
    const unknown = [...Object.keys(fields), ...key].filter((name) => !columns.has(name));
    if (unknown.length > 0) {
      this.#columns = undefined;
      return rejected('column', `${table} has no column ${[...new Set(unknown)].join(', ')}`);
    }
    const ours = isOurs ? key.find((name) => Object.hasOwn(fields, name)) : undefined;
    return ours === undefined
      ? undefined
      : rejected('readback_key', `${ours} is for the key of the action and cannot be a field`);
  }

  /** The columns that identify the item's row. A uuid is made of the action's key by its digest. */
  #keyOf(item: WriteItem | ReadItem, columns: Columns): Row {
    const { key, isOurs } = this.#place;
    const given: Fields = 'locator' in item ? item.locator : item.fields;
    if (!isOurs) return Object.fromEntries(key.map((name) => [name, given[name] ?? '']));
    const [column = ''] = key;
    return { [column]: columns.get(column)?.type === 'uuid' ? asUuid(item.key) : item.key };
  }

  /** One statement; answers those of its items that are to be tried in smaller ones. */
  async #send(
    items: WriteItem[],
    columns: Columns,
    call: CallOptions,
    outcomes: Map<string, Outcome>,
  ): Promise<WriteItem[]> {
    const blank = items.filter((item) => Object.values(this.#keyOf(item, columns)).includes(''));
    for (const { key } of blank) outcomes.set(key, rejected('key', 'a key column is missing or empty'));
    const rest = items.filter((item) => !blank.includes(item));
    if (rest.length === 0) return [];
    const rows = rest.map((item) => ({
      key: item.key,
      row: { ...item.fields, ...this.#keyOf(item, columns) },
    }));
    const sql = writeStatement(this.#place, Object.keys(rows[0]?.row ?? {}), columns);
    const answer = await this.#database.run(sql, [JSON.stringify(rows)], call);
    if (answer.kind !== 'rows') {
      if (rest.length > 1 && isOfOneRow(answer)) return rest;
      if (answer.kind === 'rejected') this.#columns = undefined;
      for (const { key } of rest) outcomes.set(key, answer);
      return [];
    }
    for (const { action, id, kind } of answer.rows)
      outcomes.set(String(action), { kind: kind === 'already' ? 'already' : 'applied', id: String(id) });
    for (const { key } of rest)
      if (!outcomes.has(key))
        outcomes.set(key, { kind: 'ambiguous', reason: 'the answer tells of no such row' });
    return [];
  }
}

function byColumns(items: WriteItem[]): WriteItem[][] {
  const groups = new Map<string, WriteItem[]>();
  for (const item of items) {
    const columns = JSON.stringify(Object.keys(item.fields).sort());
    groups.set(columns, [...(groups.get(columns) ?? []), item]);
  }
  return [...groups.values()];
}

/** 122 bits of the digest, in the form of a version 8 UUID (RFC 9562 §5.8). */
function asUuid(key: string): string {
  const hex = createHash('sha256').update(key).digest('hex');
  const variant = ((Number.parseInt(hex[16] ?? '0', 16) & 3) | 8).toString(16);
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
  ];
  return [...parts, hex.slice(20, 32)].join('-');
}

function readingOf({ found, id, fields }: Row, names: string[]): Reading {
  if (!isTrue(found)) return { kind: 'absent' };
  const values = typeof fields === 'string' ? (JSON.parse(fields) as unknown) : fields;
  if (!Array.isArray(values) || values.length !== names.length)
    return { kind: 'failed', reason: 'the answer has other columns than were asked for' };
  return {
    kind: 'found',
    id: String(id),
    fields: Object.fromEntries(names.map((name, index) => [name, values[index] as unknown])),
  };
}

function all(items: ReadItem[], reading: Reading): Map<string, Reading> {
  return new Map(items.map(({ key }) => [key, reading]));
}
