import { utcTime } from './duration.ts';
import type { Report } from './model.ts';
import { plain } from './plain.ts';
import { type Section, sections } from './sections.ts';
import { headline, legend, verdict } from './words.ts';

/** The report as GitHub-flavoured Markdown, for a pull request, an issue or a chat. */
export function toMarkdown(report: Report): string {
  const period = report.since ? `Polls since ${utcTime(report.since)}, as of` : 'As of';
  const parts = [
    `## ${headline(report.totals)}`,
    `**${verdict(report)}**`,
    `${period} ${utcTime(report.generatedAt)}.`,
    ...sections(report).flatMap((section) => [`### ${section.title}`, drawTable(section)]),
    legend.map((line) => `- ${line}`).join('\n'),
  ];
  return `${parts.join('\n\n')}\n`;
}

function drawTable({ columns, rows }: Section): string {
  const rule = columns.map(({ kind }) => (kind === 'number' ? '---:' : '---'));
  const lines = [columns.map(({ head }) => head), rule, ...rows.map((row) => row.map(escaped))];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** A cell is text, whatever it holds: no Markdown, no HTML, no mention of anybody. */
function escaped(text: string): string {
  return plain(text)
    .replace(/[\\`*_{}[\]|~]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replace(/@(?=\w)/g, '@\u200b');
}
