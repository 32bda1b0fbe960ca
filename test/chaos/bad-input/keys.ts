import { soundFiles } from './project.ts';

/** A `key:` of a sound file. */
export interface Key {
  file: string;
  /** `guard.max_new` */
  path: string;
  name: string;
  /** Index of its line, from 0. */
  index: number;
  indent: number;
  /** What stands behind it on the line; empty for a map. */
  value: string;
}

export type FileType = 'root' | 'signal' | 'enrichment' | 'destination';

export function fileType(file: string): FileType {
  if (file === 'readback.yml') return 'root';
  if (file.startsWith('signals/')) return 'signal';
  return file.startsWith('destinations/') ? 'destination' : 'enrichment';
}

export function linesOf(file: string): string[] {
  return (soundFiles[file] ?? '').split('\n');
}

/** Indexes of the lines that hold YAML: all but the last, empty one, or those between the marks of the header. */
export function yamlRange(file: string): { first: number; last: number } {
  const lines = linesOf(file);
  return file.endsWith('.sql')
    ? { first: 1, last: lines.indexOf('*/') - 1 }
    : { first: 0, last: lines.length - 2 };
}

/** Every key of a sound file, in order. */
export function keysOf(file: string): Key[] {
  const { first, last } = yamlRange(file);
  const above: { name: string; indent: number }[] = [];
  const keys: Key[] = [];
  for (const [index, line] of linesOf(file).entries()) {
    const [, blanks, name, value = ''] = /^( *)(\w+):(?: (.*))?$/.exec(line) ?? [];
    if (index < first || index > last || name === undefined || blanks === undefined) continue;
    const indent = blanks.length;
    while ((above.at(-1)?.indent ?? -1) >= indent) above.pop();
    above.push({ name, indent });
    keys.push({ file, path: above.map((one) => one.name).join('.'), name, index, indent, value });
  }
  return keys;
}

export const allFiles: readonly string[] = Object.keys(soundFiles);
export const allKeys: readonly Key[] = allFiles.flatMap(keysOf);

/** Index of the last line that belongs to a key: its own, or that of the last key below it. */
export function endOf(key: Key): number {
  const keys = keysOf(key.file);
  const below = keys.slice(keys.findIndex((one) => one.index === key.index) + 1);
  const next = below.find((one) => one.indent <= key.indent);
  return (next?.index ?? yamlRange(key.file).last + 1) - 1;
}

/** The sound file with some of its lines replaced. */
export function spliced(
  file: string,
  index: number,
  remove: number,
  ...insert: string[]
): Record<string, string> {
  const lines = linesOf(file);
  lines.splice(index, remove, ...insert);
  return { [file]: lines.join('\n') };
}

/** The sound file with another value for a key. */
export function withValue(key: Key, value: string): Record<string, string> {
  const line = `${' '.repeat(key.indent)}${key.name}: ${value}`;
  return spliced(key.file, key.index, endOf(key) - key.index + 1, line);
}
