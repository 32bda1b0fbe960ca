import { once } from 'node:events';
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
  const cells = rows.map((row) => cellsOf(columns, row));
  if (format === 'csv') return stringify([[...columns], ...cells]);
  return `${tableOf(
    columns,
    cells.map((row) => row.map(plain)),
  )}\n`;
}

/**
 * Prints rows while they arrive, in the same forms: JSON as one array, CSV line by line. Only a table has to be whole
 * before its widths are known, so give it a limit.
 *
 * @param limit how many to print; one row beyond it says that there are more
 */
export async function printRows(
  format: OutputFormat,
  columns: readonly string[],
  batches: AsyncIterable<readonly Row[]>,
  limit = Number.POSITIVE_INFINITY,
): Promise<{ printed: number; more: boolean }> {
  const kept: Row[] = [];
  let printed = 0;
  let more = false;
  if (format === 'csv') await write(stringify([[...columns]]));
  for await (const batch of batches) {
    const rows = batch.slice(0, limit - printed);
    more = rows.length < batch.length;
    if (format === 'table') kept.push(...rows);
    else if (format === 'csv') await write(stringify(rows.map((row) => cellsOf(columns, row))));
    else await write(rows.map((row, at) => `${printed + at === 0 ? '[' : ','}\n${asItem(row)}`).join(''));
    printed += rows.length;
    if (more) break;
  }
  if (format === 'table' && printed > 0) await write(formatRows('table', columns, kept));
  if (format === 'json') await write(printed === 0 ? '[]\n' : '\n]\n');
  return { printed, more };
}

/** A row as it stands in an array that `toJsonText` prints. */
function asItem(row: Row): string {
  return toJsonText([row]).slice(2, -3);
}

/** Waits for a slow reader, so that no more than one batch piles up here. */
async function write(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

/** JSON for standard output: bigints as text, two spaces, one line break at the end. */
export function toJsonText(value: unknown): string {
  const exact = (_key: string, one: unknown) => (typeof one === 'bigint' ? String(one) : one);
  return `${JSON.stringify(value, exact, 2)}\n`;
}

function cellsOf(columns: readonly string[], row: Row): string[] {
  return columns.map((column) => cellText(row[column] ?? null));
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
