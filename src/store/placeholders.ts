/** A query with its `:name` placeholders turned into the `$n` Postgres wants. */
export interface Numbered {
  text: string;
  /** The names in the order of their numbers. */
  names: string[];
}

/**
 * The next thing in SQL that is not plain text: what must be copied as it is (comments, strings, quoted names, dollar
 * quotes, `::casts`, `:=`), or a placeholder. A colon after a letter, digit or bracket is an array slice.
 */
const token = new RegExp(
  [
    /--[^\n]*/,
    /\/\*/,
    /(?<!\w)[eE]'(?:[^'\\]|\\.|'')*'/,
    /'(?:[^']|'')*'/,
    /"(?:[^"]|"")*"/,
    /(?<![\w$])\$(?<tag>(?:[a-zA-Z_]\w*)?)\$.*?\$\k<tag>\$/,
    /::|:=/,
    /(?<![\w\])]):(?<name>[a-zA-Z_]\w*)/,
  ]
    .map((part) => part.source)
    .join('|'),
  'gs',
);

/** Numbers the placeholders of one query; the same name keeps the same number. */
export function numberPlaceholders(sql: string): Numbered {
  const names: string[] = [];
  let text = '';
  let end = 0;
  token.lastIndex = 0;
  for (let found = token.exec(sql); found; found = token.exec(sql)) {
    if (found[0] === '/*') {
      token.lastIndex = endOfComment(sql, found.index);
      continue;
    }
    const name = found.groups?.name;
    if (name === undefined) continue;
    if (!names.includes(name)) names.push(name);
    text += `${sql.slice(end, found.index)}$${names.indexOf(name) + 1}`;
    end = token.lastIndex;
  }
  return { text: text + sql.slice(end), names };
}

/** Block comments nest in Postgres, which is why one expression cannot find their end. */
function endOfComment(sql: string, start: number): number {
  const edge = /\/\*|\*\//g;
  edge.lastIndex = start;
  let depth = 0;
  for (let found = edge.exec(sql); found; found = edge.exec(sql)) {
    depth += found[0] === '/*' ? 1 : -1;
    if (depth === 0) return edge.lastIndex;
  }
  return sql.length;
}
