import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { numberPlaceholders } from './placeholders.ts';

/** `sql/` is a sibling of both `src/` and `dist/`, so the same relative path serves both. */
export const sqlFolder = fileURLToPath(new URL('../../sql/', import.meta.url));

/** A pool, a client, or a client inside a transaction. */
export interface Queryable {
  query(statement: { name?: string; text: string; values?: unknown[] }): Promise<{ rows: unknown[] }>;
}

export interface Query {
  name: string;
  /** The comment lines right under the name. */
  description: string;
  text: string;
  /** Parameter names in the order of `$1`, `$2`, … */
  params: string[];
  /** What the prepared statement is called: changes when the text does. */
  statement: string;
}

export type Params = Readonly<Record<string, unknown>>;

/** A query's text with its values in the order of `$1`, `$2`, … */
export interface Bound {
  text: string;
  values: unknown[];
}

/** The named queries of one `.sql` file. */
export class Queries {
  readonly file: string;
  readonly all: ReadonlyMap<string, Query>;

  constructor(file: string, all: ReadonlyMap<string, Query>) {
    this.file = file;
    this.all = all;
  }

  /** Runs a query and returns its rows. An unknown name, or a missing or extra parameter, throws before it is sent. */
  async run<Row = Record<string, unknown>>(
    client: Queryable,
    name: string,
    params: Params = {},
  ): Promise<Row[]> {
    const query = this.get(name);
    const values = this.#values(query, params);
    const { rows } = await client.query({ name: query.statement, text: query.text, values });
    return rows as Row[];
  }

  /** The first row, or `undefined` when there is none. */
  async one<Row = Record<string, unknown>>(
    client: Queryable,
    name: string,
    params: Params = {},
  ): Promise<Row | undefined> {
    return (await this.run<Row>(client, name, params))[0];
  }

  /** A query ready for a cursor. @throws when a name or a parameter is unknown or missing */
  bind(name: string, params: Params = {}): Bound {
    const query = this.get(name);
    return { text: query.text, values: this.#values(query, params) };
  }

  /** The query itself, for what `run` cannot do: COPY streams. */
  get(name: string): Query {
    const query = this.all.get(name);
    if (!query)
      throw new Error(`${this.file} has no query "${name}"; it has: ${[...this.all.keys()].join(', ')}`);
    return query;
  }

  #values(query: Query, params: Params): unknown[] {
    const extra = Object.keys(params).filter((name) => !query.params.includes(name));
    const missing = query.params.filter((name) => params[name] === undefined);
    if (extra.length > 0 || missing.length > 0) {
      const problems = [
        ...missing.map((name) => `parameter "${name}" is missing`),
        ...extra.map((name) => `parameter "${name}" is not one of: ${query.params.join(', ') || 'none'}`),
      ];
      throw new Error(`${this.file}, query "${query.name}": ${problems.join('; ')}`);
    }
    return query.params.map((name) => params[name]);
  }
}

const loaded = new Map<string, Queries>();

/** The queries of `sql/queries/<stage>.sql`, read once. */
export function queries(stage: string, folder: string = join(sqlFolder, 'queries')): Queries {
  const path = join(folder, `${stage}.sql`);
  const known = loaded.get(path);
  if (known) return known;
  const set = parseQueries(`${stage}.sql`, readFileSync(path, 'utf8'));
  loaded.set(path, set);
  return set;
}

/** Splits a file at its `-- name: …` lines. Text before the first is the file's own comment. */
export function parseQueries(file: string, source: string): Queries {
  const all = new Map<string, Query>();
  const [head = '', ...parts] = source.replaceAll('\r\n', '\n').split(/^-- name:[ \t]*/m);
  if (/^[ \t]*(?!--)\S/m.test(head)) throw new Error(`${file}: SQL before the first "-- name:" line`);
  for (const part of parts) {
    const query = parseQuery(file, part);
    if (all.has(query.name)) throw new Error(`${file}: two queries are named "${query.name}"`);
    all.set(query.name, query);
  }
  return new Queries(file, all);
}

function parseQuery(file: string, part: string): Query {
  const lines = part.split('\n');
  const name = lines.shift()?.trim() ?? '';
  if (!/^[a-z][a-z0-9_]*$/.test(name))
    throw new Error(`${file}: "${name}" is not a query name (want: snake_case)`);
  const start = lines.findIndex((line) => !line.startsWith('--'));
  const comments = start < 0 ? lines : lines.slice(0, start);
  const body = start < 0 ? '' : lines.slice(start).join('\n');
  const { text, names } = numberPlaceholders(body.trim().replace(/;$/, ''));
  if (text === '') throw new Error(`${file}: query "${name}" is empty`);
  return {
    name,
    description: comments.map((line) => line.replace(/^-- ?/, '')).join('\n'),
    text,
    params: names,
    statement: `${name}_${createHash('sha256').update(text).digest('hex').slice(0, 12)}`.slice(-63),
  };
}
