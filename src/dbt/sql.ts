import { positionAt } from '../config/files.ts';
import { ReadbackError } from '../errors.ts';
import { freshnessOf, type SourceFreshness } from './freshness.ts';
import { parseCall } from './jinja.ts';
import type { Manifest } from './manifest.ts';
import { type Relation, relationOf, supported } from './relations.ts';

/** A `{{ … }}` of a statement. */
export interface Reference extends Relation {
  /** Where it begins in the statement as written, and how long it is there; UTF-16 units. */
  start: number;
  length: number;
}

/** A statement as its author wrote it; what runs has relations in place of the references. */
export interface DbtSql {
  written: string;
  references: readonly Reference[];
  /** The sources behind the references, for `guard.source_freshness`. */
  freshness: SourceFreshness;
}

/** Where a statement stands. Its columns are those of the file. */
export interface WrittenSql {
  file: string;
  sql: string;
  sqlLine: number;
}

/** Comments stay as they are; strings too, but they are looked into, as dbt does. */
const pieces = /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|\{\{([\s\S]*?)\}\}|\{\{|\{%|\{#/g;

/**
 * Replaces `{{ ref() }}` and `{{ source() }}` by the relations of dbt's manifest. Undefined, with problems, when one means
 * nothing or something else of Jinja is used.
 *
 * @param manifest why it cannot be read, where that is so; undefined in a project without `dbt:`
 */
export function resolveSql(
  statement: WrittenSql,
  manifest: Manifest | ReadbackError | undefined,
  problems: ReadbackError[],
): { sql: string; dbt?: DbtSql } | undefined {
  const { sql } = statement;
  const references: Reference[] = [];
  const before = problems.length;
  for (const found of sql.matchAll(pieces)) {
    const [text, inner] = found;
    if (/^(?:--|\/\*)/.test(text)) continue;
    const quoted = /^['"]/.test(text);
    if (quoted && !(manifest && /\{[{%#]/.test(text))) continue;
    if (!manifest && !/^\{\{-?\s*(?:ref|source)\s*\(/.test(text)) continue;
    const resolved = quoted ? notInText : resolve(manifest, inner);
    if ('message' in resolved) {
      const { line, column } = positionAt(sql, found.index);
      const place = { file: statement.file, line: statement.sqlLine + line - 1, column };
      problems.push(new ReadbackError(resolved.code, resolved.message, { place, hint: resolved.hint }));
    } else references.push({ ...resolved, start: found.index, length: text.length });
  }
  if (problems.length > before) return undefined;
  if (references.length === 0 || !manifest || manifest instanceof ReadbackError) return { sql };
  const dbt = { written: sql, references, freshness: freshnessOf(manifest, references) };
  return { sql: renderSql(dbt, ({ name }) => name), dbt };
}

interface Refusal {
  code: 'CONFIG_KEY' | 'CONFIG_FILE' | 'CONFIG_REFERENCE';
  message: string;
  hint: string | undefined;
}

const notInText: Refusal = {
  code: 'CONFIG_REFERENCE',
  message: 'Jinja in a string or a quoted name is not understood',
  hint: `${supported}; a brace that is meant: '{' || '%'`,
};

function resolve(
  manifest: Manifest | ReadbackError | undefined,
  inner: string | undefined,
): Relation | Refusal {
  if (!manifest)
    return {
      code: 'CONFIG_KEY',
      message: 'which dbt project is meant is not said',
      hint: 'name it in readback.yml: dbt: { project: ../dbt }',
    };
  const call = inner === undefined ? undefined : parseCall(inner);
  if (!call || !['ref', 'source'].includes(call.name) || call.filters.length > 0)
    return {
      code: 'CONFIG_REFERENCE',
      message: 'of Jinja only ref and source are understood',
      hint: supported,
    };
  if (manifest instanceof ReadbackError)
    return {
      code: 'CONFIG_FILE',
      message: `${manifest.place?.file}: ${manifest.message}`,
      hint: manifest.hint,
    };
  const relation = relationOf(manifest, call);
  return 'message' in relation ? { code: 'CONFIG_REFERENCE', ...relation } : relation;
}

/** The statement with something else in place of each reference. */
export function renderSql(
  { written, references }: DbtSql,
  replacement: (reference: Reference) => string,
): string {
  let rendered = '';
  let done = 0;
  for (const reference of references) {
    rendered += written.slice(done, reference.start) + replacement(reference);
    done = reference.start + reference.length;
  }
  return rendered + written.slice(done);
}

/** A place in the statement that ran as the place in the one that was written; inside a relation: where it is named. */
export function writtenPosition(
  dbt: DbtSql,
  position: { line: number; column: number },
): { line: number; column: number } {
  const ran = renderSql(dbt, ({ name }) => name);
  const lines = ran.split('\n');
  const before = lines.slice(0, position.line - 1).join('\n');
  const inLine = [...(lines[position.line - 1] ?? '')].slice(0, position.column - 1).join('');
  let offset = before.length + (position.line > 1 ? 1 : 0) + inLine.length;
  for (const { start, length, name } of dbt.references) {
    if (offset < start) break;
    offset = offset < start + name.length ? start : offset - name.length + length;
  }
  const { line, column } = positionAt(dbt.written, offset);
  const units = (dbt.written.split('\n')[line - 1] ?? '').slice(0, column - 1);
  return { line, column: [...units].length + 1 };
}
