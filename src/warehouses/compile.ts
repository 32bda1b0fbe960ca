import { givenSql, standardLiteral } from './given.ts';
import { withoutSemicolon } from './statement.ts';
import { loadTemplates, render, type Templates } from './template.ts';
import type { Column, KnownEntity, SignalQuery, Statement, Warehouse } from './warehouse.ts';

/** What differs between SQL dialects; everything else is said in the templates. */
export interface Dialect {
  /** The statements and the fragments that they are put together from; see `loadDialect`. */
  templates: Templates;
  quote(name: string): string;
  /** What stands between the columns of a text that is hashed; a comma if absent. */
  joint?: string;
  /** Text as a literal, where a backslash is more than a character. */
  literal?(text: string): string;
}

export type Compiler = Pick<Warehouse, 'members' | 'digest' | 'newest' | 'lookup' | 'sample' | 'given'>;

/** Fingerprint of an entity whose changes do not matter; costs the warehouse nothing. */
export const constantFingerprint = '0000000000000000';

/** `"name"` with its own quotes doubled, as standard SQL wants it. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

const statements = loadTemplates(import.meta.url, ['differences']);

/** What compares in the warehouse. Needs the templates `same_key`, `no_key`, `known_key`, `known_text`. */
export function comparer(dialect: Dialect): Required<Pick<Warehouse, 'differences'>> {
  const { templates } = dialect;
  return {
    differences: (query, key, buckets, only, known) => ({
      sql: render(statements, 'differences', {
        members: membersSql(dialect, query, buckets, only),
        known: knownColumns(templates, key).join(', '),
        match: sameKeys(templates, key.length, 'fetched', 'known'),
        keys: keyColumns(key.length, (name) => `coalesce(fetched.${name}, known.${name}) as ${name}`),
        no_keys: keyColumns(key.length, () => 'null'),
        no_key: noKey(templates, key.length),
        key_texts: keyColumns(key.length, (column) => render(templates, 'key_text', { column })),
      }),
      params: knownParams(key.length, known),
    }),
  };
}

/** The columns `key_1`, `key_2`, … in some form, as a list. */
export function keyColumns(width: number, form: (name: string) => string, between = ', '): string {
  return Array.from({ length: width }, (_, at) => form(`key_${at + 1}`)).join(between);
}

/** Whether two relations speak of one entity: by the keys' texts, as the ledger tells entities apart. */
export function sameKeys(templates: Templates, width: number, one: string, other: string): string {
  const same = (name: string) =>
    render(templates, 'same_key', { one: `${one}.${name}`, other: `${other}.${name}` });
  return keyColumns(width, same, ' and ');
}

export function noKey(templates: Templates, width: number): string {
  return keyColumns(width, (column) => render(templates, 'no_key', { column }), ' or ');
}

/** The keys in their own types and the fingerprint of known entities, out of `knownParams`. */
export function knownColumns(templates: Templates, key: Column[]): string[] {
  const keys = key.map(({ nativeType }, at) => {
    const list = render(templates, 'known_key', { number: String(at + 1), type: nativeType });
    return `${list} as key_${at + 1}`;
  });
  const fingerprints = render(templates, 'known_text', { number: String(key.length + 1) });
  return [...keys, `${fingerprints} as fingerprint`];
}

/**
 * One parameter for each key column and one for the fingerprints, each a JSON array: 60,000 entities bound as lists take
 * DuckDB's driver 100 ms, as JSON 28 ms.
 */
export function knownParams(width: number, known: readonly KnownEntity[]): string[] {
  const columns = Array.from({ length: width }, (_, at) => known.map((entity) => entity.key[at]));
  return [...columns, known.map((entity) => entity.fingerprint)].map((column) => JSON.stringify(column));
}

const shared = loadTemplates(import.meta.url, ['dialect']);

/** A dialect's templates: those of its folder, before those that most dialects share. */
export function loadDialect(folder: string, files: readonly string[]): Templates {
  return new Map([...shared, ...loadTemplates(folder, files)]);
}

/** Compiles signals to a warehouse's SQL from its dialect's templates. */
export function compiler(dialect: Dialect): Compiler {
  const { templates } = dialect;
  return {
    members: (query, buckets, only) => ({ sql: membersSql(dialect, query, buckets, only), params: [] }),
    digest: (query, buckets) => ({
      sql: render(templates, 'digest', { members: membersSql(dialect, query, buckets) }),
      params: [],
    }),
    newest: (sql, observedAt) => ({
      sql: render(templates, 'newest', {
        sql: withoutSemicolon(sql),
        observed_at: render(templates, 'time', { column: dialect.quote(observedAt) }),
      }),
      params: [],
    }),
    lookup: (sql, key, keys) => lookup(dialect, sql, key, keys),
    sample: (sql, limit) => ({
      sql: render(templates, 'sample', { sql: withoutSemicolon(sql), limit: String(limit) }),
      params: [],
    }),
    given: (sql, fixtures) => givenSql({ literal: standardLiteral, ...dialect }, sql, fixtures),
  };
}

export function membersSql(dialect: Dialect, query: SignalQuery, buckets: number, only?: number[]): string {
  const { templates, quote, joint = ', ' } = dialect;
  const { key, track, observedAt, row = [] } = query;
  const fill = (name: string, values: Record<string, string> = {}) => render(templates, name, values);
  const each = (name: string, columns: string[]) =>
    columns.map((column) => fill(name, { column: quote(column) })).join(joint);
  const keys = each('key_text', key);
  const wholeKey = fill(key.length === 1 ? 'whole_key_of_one' : 'whole_key_of_several', { keys });
  const bucket = fill('bucket', { keys, whole_key: wholeKey, buckets: String(buckets) });
  const { armed, where } = conditions(templates, query);
  if (only) where.push(fill('in_buckets', { bucket, only: only.join(', ') || 'null' }));
  const numbered = (as: string, columns: string[]) =>
    columns.map((column, at) => `${quote(column)} as ${as}_${at + 1}`);
  const hashed = [...key.map(quote), armed, ...track.map(quote)];
  const text = (column: string) => fill('tracked', { column });
  return fill('members', {
    sql: withoutSemicolon(query.sql),
    bucket,
    armed,
    fingerprint:
      track.length === 0
        ? `'${constantFingerprint}'`
        : fill('fingerprint', { columns: each('tracked', track) }),
    hash: fill('hash', { columns: hashed.join(', '), texts: hashed.map(text).join(joint) }),
    observed_at: observedAt === undefined ? fill('no_time') : fill('time', { column: quote(observedAt) }),
    keys: [...numbered('key', key), ...numbered('row', row)].join(', '),
    where: where.join('\n  and ') || 'true',
  });
}

/**
 * Hysteresis: with `rearm`, every row it has not disarmed is fetched and says whether it is armed. Without it only armed
 * rows are, by the bare condition, so that the warehouse can use an index.
 */
function conditions(templates: Templates, query: SignalQuery): { armed: string; where: string[] } {
  if (query.when === undefined) return { armed: 'true', where: [] };
  const when = withoutSemicolon(query.when);
  if (query.rearm === undefined) return { armed: 'true', where: [render(templates, 'holds', { when })] };
  const rearm = withoutSemicolon(query.rearm);
  return {
    armed: render(templates, 'armed', { when }),
    where: [render(templates, 'not_disarmed', { when, rearm })],
  };
}

/** Keys travel as one parameter for each key column, cast to its own type so that the warehouse can use an index. */
function lookup({ templates, quote }: Dialect, sql: string, key: Column[], keys: string[][]): Statement {
  const lists = key.map((column, at) =>
    render(templates, 'key_list', { number: String(at + 1), type: column.nativeType }),
  );
  const matches = render(templates, key.length === 1 ? 'one_key' : 'several_keys', {
    columns: key.map((column) => quote(column.name)).join(', '),
    lists: lists.join(', '),
  });
  return {
    sql: render(templates, 'lookup', { sql: withoutSemicolon(sql), matches }),
    params: key.map((_, at) => keys.map((values) => values[at] as string)),
  };
}
