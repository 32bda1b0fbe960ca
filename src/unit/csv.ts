import type { Value } from '../warehouses/warehouse.ts';

/** A quoted or a bare value, and what ends it. */
const cell = /(?:"((?:[^"]|"")*)"|([^,\n]*))(,|\n|$)/y;

/** Rows of CSV by the names in its first line. An empty value is null, an empty one in quotes is empty text. */
export function parseCsv(text: string): Map<string, Value>[] {
  const lines: Value[][] = [];
  let line: Value[] = [];
  const whole = text.trim();
  cell.lastIndex = 0;
  for (let found = cell.exec(whole); found; found = cell.exec(whole)) {
    const [, quoted, bare = '', end] = found;
    line.push(quoted === undefined ? bare.trim() || null : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    lines.push(line);
    line = [];
    if (end === '') break;
  }
  const [names = [], ...rows] = lines;
  return rows.map((row) => new Map(names.map((name, at) => [name ?? '', row[at] ?? null])));
}
