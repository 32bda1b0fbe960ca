import Table from 'cli-table3';
import { bare } from './bare.ts';
import { utcTime } from './duration.ts';
import type { Report } from './model.ts';
import { plain } from './plain.ts';
import { type Column, type Section, sections } from './sections.ts';
import { headline, legend, verdict } from './words.ts';

const lineWidth = 120;
const gap = 2;
/** A text column is never made narrower than this, even if the line then gets too long. */
const narrowest = 12;

/** The report for a terminal, in lines of at most 120 characters. */
export function toTable(report: Report): string {
  const period = report.since ? `polls since ${utcTime(report.since)}, ` : '';
  const parts = [
    [
      ...wrap(headline(report.totals), ' · '),
      verdict(report),
      `(${period}as of ${utcTime(report.generatedAt)})`,
    ].join('\n'),
    ...sections(report).map((section) => `${section.title}\n\n${drawTable(section)}`),
    legend.flatMap((line) => wrap(line)).join('\n'),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** One table without lines around it: copied text stays readable, and width is left for the content. */
export function drawTable(
  { columns, rows: texts }: Pick<Section, 'columns' | 'rows'>,
  available = lineWidth,
): string {
  const rows = texts.map((row) => row.map(plain));
  const widths = columnWidths(columns, rows, available);
  const table = new Table({
    colWidths: widths.map((width, index) => width + (index === 0 ? 0 : gap)),
    colAligns: columns.map(({ kind }) => (kind === 'number' ? 'right' : 'left')),
    chars: bare,
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 0 },
  });
  const heads = columns.map(({ head }) => head);
  const rule = widths.map((width) => '─'.repeat(width));
  for (const row of [heads, rule, ...rows]) {
    table.push(row.map((content, index) => cell(content, widths[index] ?? 0, index)));
  }
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Breaks between words, and inside them only where one alone is too long. */
function cell(content: string, width: number, index: number): Table.Cell {
  const wrapOnWordBoundary = longestWord(content) <= width;
  const style = { 'padding-left': index === 0 ? 0 : gap, 'padding-right': 0 };
  return { content, wordWrap: true, wrapOnWordBoundary, style } as Table.Cell;
}

function columnWidths(columns: readonly Column[], rows: readonly string[][], available: number): number[] {
  const natural = columns.map(({ head, kind }, index) => {
    const cells = rows.map((row) => [...(row[index] ?? '')].length);
    return Math.max(longestWord(head), kind === 'text' ? head.length : 0, ...cells);
  });
  const fixed = columns.map(({ kind }, index) => (kind === 'number' ? (natural[index] ?? 0) : 0));
  let room = available - gap * (columns.length - 1) - fixed.reduce((sum, width) => sum + width, 0);
  const flexible = columns.map((_, index) => index).filter((index) => columns[index]?.kind === 'text');
  const widths = [...natural];
  // Narrowest first: what a column does not need of its fair share is left for the wider ones.
  flexible.sort((a, b) => (natural[a] ?? 0) - (natural[b] ?? 0));
  flexible.forEach((index, done) => {
    const share = Math.max(narrowest, Math.floor(room / (flexible.length - done)));
    widths[index] = Math.min(natural[index] ?? 0, share);
    room -= widths[index] ?? 0;
  });
  return widths;
}

function longestWord(text: string): number {
  return Math.max(...text.split(' ').map((word) => [...word].length));
}

function wrap(text: string, separator = ' '): string[] {
  const lines: string[] = [];
  for (const word of text.split(separator)) {
    const last = lines.at(-1);
    const longer = `${last}${separator}${word}`;
    if (last === undefined) lines.push(word);
    else if (longer.length <= lineWidth) lines[lines.length - 1] = longer;
    else lines.push(`  ${word}`);
  }
  return lines;
}
