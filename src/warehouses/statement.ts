import type { Place } from '../errors.ts';

/** Comments, strings, quoted names and dollar quotes: a semicolon inside one of them ends nothing. */
const opaque = new RegExp(
  [
    /--[^\n]*/,
    /\/\*/,
    /(?<![\w$])[eE]'(?:[^'\\]|\\.|'')*'/,
    /'(?:[^']|'')*'/,
    /"(?:[^"]|"")*"/,
    /(?<![\w$])\$(?<tag>(?:[a-zA-Z_]\w*)?)\$.*?\$\k<tag>\$/,
    /;/,
    /[^\s;]/,
  ]
    .map((part) => part.source)
    .join('|'),
  'gs',
);

/**
 * The statement with its closing semicolons blanked, also before a trailing comment, so that it can stand in
 * parentheses. Nothing moves: places in the result are places in the original.
 */
export function withoutSemicolon(sql: string): string {
  let closing: number[] = [];
  opaque.lastIndex = 0;
  for (let found = opaque.exec(sql); found; found = opaque.exec(sql)) {
    const [text] = found;
    if (text === ';') closing.push(found.index);
    else if (text === '/*') opaque.lastIndex = endOfComment(sql, found.index);
    else if (!text.startsWith('--')) closing = [];
  }
  let result = sql;
  for (const at of closing) result = `${result.slice(0, at)} ${result.slice(at + 1)}`;
  return result.trimEnd();
}

/** Block comments nest in Postgres; DuckDB's end at the first close, and for both a well-formed one ends here. */
function endOfComment(sql: string, start: number): number {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = start;
  let depth = 0;
  for (let found = mark.exec(sql); found; found = mark.exec(sql)) {
    depth += found[0] === '/*' ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
  return sql.length;
}

/**
 * Line and column of a place in a statement, from 1; columns count characters, not UTF-16 units.
 *
 * @param offset in characters or in bytes of UTF-8, as the warehouse counts, from 0
 */
export function placeIn(sql: string, offset: number, unit: 'characters' | 'bytes'): Place {
  const before =
    unit === 'bytes'
      ? Buffer.from(sql).subarray(0, Math.max(0, offset)).toString()
      : [...sql].slice(0, Math.max(0, offset)).join('');
  const lines = before.split('\n');
  return { file: '', line: lines.length, column: [...(lines.at(-1) ?? '')].length + 1 };
}
