/**
 * Text as a literal of a dialect in which a backslash escapes what follows, and a line cannot end inside: Snowflake,
 * BigQuery.
 */
export function backslashLiteral(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
  return `'${escaped.replaceAll('\n', '\\n').replaceAll('\r', '\\r')}'`;
}
