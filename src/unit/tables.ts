import type { Enrichment, Signal } from '../config/model.ts';
import { renderSql } from '../dbt/sql.ts';
import { stripped } from './inputs.ts';

/** A table that a query reads. */
export interface ReadTable {
  /** As `input:` names it. */
  input: string;
  /** As the warehouse does. */
  relation: string;
}

const part = /(?:"[^"]+"|`[^`]+`|[\p{L}_][\p{L}\p{N}_$]*)/u.source;
const afterFrom = new RegExp(String.raw`\b(?:from|join)\s+(${part}(?:\.${part})*)(?!\s*\(|[\w$.])`, 'giu');
const common = new RegExp(
  String.raw`(?:\bwith(?:\s+recursive)?|,)\s*(${part})\s*(?:\([^()]*\)\s*)?as\s+(?:not\s+)?(?:materialized\s+)?\(`,
  'giu',
);

/**
 * The tables that a query names after `from` and `join`, as far as that can be told without understanding all of SQL: what
 * is found may be no table (`extract(day from at)`), and a list of tables with commas is found up to its first.
 */
export function tablesOf({ sql, dbt }: Pick<Signal | Enrichment, 'sql' | 'dbt'>): ReadTable[] {
  const referred = dbt?.references.map(({ call, name }) => ({ input: call, relation: name })) ?? [];
  const plain = stripped(dbt ? renderSql(dbt, () => '()') : sql);
  const hidden = new Set([...plain.matchAll(common)].map(([, name = '']) => name.toLowerCase()));
  const named = [...plain.matchAll(afterFrom)]
    .map(([, name = '']) => name)
    .filter((name) => !hidden.has(name.toLowerCase()));
  const tables = [...referred, ...named.map((name) => ({ input: name, relation: name }))];
  return [...new Map(tables.map((table) => [table.input, table])).values()];
}
