import { fileType, type Key, yamlRange } from './keys.ts';
import type { Fault } from './mutation.ts';
import { soundFiles } from './project.ts';

/** A fault on one line, given as an index from 0. */
export function faultAt(file: string, index: number, more: Partial<Fault> = {}): Fault {
  return { file, lines: { first: index + 1, last: index + 1 }, harms: harmOf(file), ...more };
}

/** A fault that may be told on any of these lines, given as indexes from 0. */
export function faultWithin(file: string, first: number, last: number, more: Partial<Fault> = {}): Fault {
  return { file, lines: { first: first + 1, last: last + 1 }, harms: harmOf(file), ...more };
}

/** A fault of the text around all keys: on the first line of the YAML, where its map begins. */
export function faultOfMap(file: string, more: Partial<Fault> = {}): Fault {
  return faultAt(file, yamlRange(file).first, more);
}

/** What a file that cannot be read as YAML takes with it. */
export function harmOf(file: string): Fault['harms'] {
  return { kind: fileType(file) === 'root' ? 'all' : 'file' };
}

/** What a key with a bad value takes with it. */
export function harmOfKey({ file, path }: Key): Fault['harms'] {
  if (fileType(file) !== 'root') return { kind: 'file' };
  const [section = '', name = ''] = path.split('.');
  if (section === 'project') return { kind: 'all' };
  if (section === 'connections') return name === '' ? { kind: 'all' } : { kind: 'connection', name };
  if (section === 'warehouses') return name === '' ? { kind: 'all' } : { kind: 'warehouse' };
  return { kind: 'nothing' };
}

/** Signals and destinations that a fault may take out of the project. */
export function harmed({ file, harms }: Fault): Set<string> {
  const found = new Set<string>();
  for (const one of Object.keys(soundFiles)) {
    const text = soundFiles[one] ?? '';
    const name = nameOf(one);
    const needed =
      harms.kind === 'all' ||
      harms.kind === 'warehouse' ||
      (harms.kind === 'file' && one === file) ||
      (harms.kind === 'connection' && new RegExp(`^connection: ${harms.name}$`, 'm').test(text));
    if (needed) found.add(name);
  }
  // What needs something harmed is harmed itself, until nothing more is found.
  for (let before = -1; before < found.size; ) {
    before = found.size;
    for (const one of Object.keys(soundFiles).filter((path) => fileType(path) === 'destination'))
      for (const [, list = ''] of (soundFiles[one] ?? '').matchAll(
        /^(?:signals|enrich|follows): \[?([\w, ]+)\]?$/gm,
      ))
        if (list.split(', ').some((item) => found.has(item))) found.add(nameOf(one));
  }
  return found;
}

export function nameOf(file: string): string {
  return file.replace(/^.*\//, '').replace(/\.\w+$/, '');
}

/** Signals whose statements a file is part of: a signal's own, and those of destinations and enrichments. */
export function concerned(file: string): Set<string> {
  const users = Object.entries(soundFiles).filter(
    ([path, text]) =>
      fileType(path) === 'destination' &&
      (path === file || new RegExp(`^enrich: .*\\b${nameOf(file)}\\b`, 'm').test(text)),
  );
  const signals = users.flatMap(([, text]) => /^signals: \[(.*)\]$/m.exec(text)?.[1]?.split(', ') ?? []);
  return new Set([nameOf(file), ...signals]);
}
