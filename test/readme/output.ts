import assert from 'node:assert/strict';
import type { Block } from './blocks.ts';

/** Every line that a guide shows of an output is in it; a guide may leave lines out. */
export function compareOutput({ guide, line, text }: Block, printed: string): void {
  const lines = new Set(printed.split('\n').map(timeless));
  for (const shown of text.split('\n').map(timeless))
    assert.ok(lines.has(shown), `${guide}:${line}: ${shown}\nis not in\n${printed}`);
}

/** A printed line without what differs from run to run: times, durations, ids, whom a misfortune hit, widths of columns. */
function timeless(line: string): string {
  return line
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/g, '<time>')
    .replaceAll(/\d\d:\d\d:\d\d\.\d{3}/g, '<time>')
    .replaceAll(/\d+(?:\.\d+)? (?:ms|s|min)\b/g, '<duration>')
    .replaceAll(/\d+\.\d\d\b/g, '<ratio>')
    .replaceAll(/record \S+/g, 'record <id>')
    .replaceAll(/\((?:\d+ actions, )?\S+(?: among them)?\):/g, '(<entities>):')
    .replaceAll(/\s+/g, ' ')
    .trim();
}
