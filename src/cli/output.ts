import Table from 'cli-table3';
import { stringify } from 'csv-stringify/sync';
import { bare } from '../report/bare.ts';
import { plain } from '../report/plain.ts';

export const outputFormats = ['table', 'json', 'csv'] as const;
export type OutputFormat = (typeof outputFormats)[number];

export type Cell = string | number | boolean | null | readonly string[];
export type Row = Readonly<Record<string, Cell>>;

/** Rows as a command prints them on standard output. Columns of a table and of CSV keep the order given here. */
export function formatRows(format: OutputFormat, columns: readonly string[], rows: readonly Row[]): string {
  if (format === 'json') return toJsonText(rows);
  const cells = rows.map((row) => columns.map((column) => cellText(row[column] ?? null)));
  if (format === 'csv') return stringify([[...columns], ...cells]);
  return `${tableOf(
    columns,
    cells.map((row) => row.map(plain)),
  )}\n`;
}

/** JSON for standard output: bigints as text, two spaces, one line break at the end. */
export function toJsonText(value: unknown): string {
  const exact = (_key: string, one: unknown) => (typeof one === 'bigint' ? String(one) : one);
  return `${JSON.stringify(value, exact, 2)}\n`;
}

function cellText(value: Cell): string {
  if (value === null) return '';
  return Array.isArray(value) ? value.join(', ') : String(value);
}

/** Columns apart by blanks only: a table can be read, cut and searched like any other text. */
function tableOf(columns: readonly string[], rows: readonly string[][]): string {
  const table = new Table({
    head: [...columns],
    chars: { ...bare, middle: '  ' },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  for (const row of rows) table.push([...row]);
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Writes a command's result. */
export function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** Writes a remark to people, apart from the result. */
export function remark(text: string): void {
  process.stderr.write(text.endsWith('\n') ? text : `${text}\n`);
}
