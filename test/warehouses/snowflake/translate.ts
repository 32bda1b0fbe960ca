/** Texts, quoted names and comments, in which nothing is rewritten. */
const opaque = String.raw`'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/`;

const rewrites: readonly [RegExp, (...parts: string[]) => string][] = [
  [
    /table\(flatten\(input => parse_json\(:1\)\)\)/,
    () => `(select unnest(json_extract($1::json, '$[*]')) as value)`,
  ],
  [/table\(generator\(rowcount => (?<rows>\d+)\)\)/, (_, rows) => `range(${rows})`],
  [/\bseq8\(\)/, () => 'range'],
  [/(?<!:):(?<bind>\d+)\b/, (_, number) => `$${number}`],
  [/\bvariant\b/, () => 'json'],
  [/\bfloat\b/, () => 'double'],
  [/\bbinary\b/, () => 'blob'],
  [/\bnumber\b/, () => 'decimal'],
  [/\btimestamp_tz(?:\(\d\))?/, () => 'timestamptz'],
  [/\btimestamp_ltz(?:\(\d\))?/, () => 'timestamptz'],
  [/\btimestamp_ntz\(9\)/, () => 'timestamp_ns'],
  [/\btimestamp_ntz(?:\(\d\))?/, () => 'timestamp'],
  [/\btime\(\d\)/, () => 'time'],
];

/**
 * The SQL of Snowflake that Readback sends, and the exam, in DuckDB's. Lines stay where they are; columns move only behind
 * something that was rewritten.
 */
export function toDuckDb(sql: string, session: { role: string; warehouse: string | undefined }): string {
  const literal = (text: string | undefined) => (text === undefined ? 'null' : `'${text}'`);
  const all: typeof rewrites = [
    ...rewrites,
    [/\bcurrent_role\(\)/, () => literal(session.role)],
    [/\bcurrent_warehouse\(\)/, () => literal(session.warehouse)],
  ];
  return all.reduce((text, [pattern, rewrite]) => {
    const either = new RegExp(`(?<opaque>${opaque})|${pattern.source}`, 'gi');
    return text.replace(either, (...found) => {
      const { opaque: kept, ...parts } = found.at(-1) as Record<string, string>;
      return kept ?? rewrite(found[0], ...Object.values(parts));
    });
  }, sql);
}
