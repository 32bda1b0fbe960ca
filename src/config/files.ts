import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, extname, join, relative, sep } from 'node:path';
import { ReadbackError } from '../errors.ts';

/** A text file of the project. Line breaks are `\n`, a byte order mark is gone. */
export interface SourceFile {
  /** Relative to the project root, with forward slashes. */
  file: string;
  /** File name without folder and ending: the name of what it defines. */
  name: string;
  text: string;
}

const mostBytes = 1_000_000;

/** Files below a folder with one of the endings, in alphabetical order. No folder: no files. */
export async function listFiles(root: string, folder: string, endings: readonly string[]): Promise<string[]> {
  try {
    const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => endings.includes(extname(entry.name)) && !entry.isDirectory())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw unreadable(folder, error);
  }
}

/** Reads a file as strict UTF-8. @throws ReadbackError CONFIG_FILE */
export async function readSource(root: string, file: string): Promise<SourceFile> {
  const bytes = await readBytes(root, file);
  const text = decode(bytes, file)
    .replace(/^\uFEFF/, '')
    .replace(/\r\n?/g, '\n');
  const nul = text.indexOf('\0');
  if (nul >= 0)
    throw new ReadbackError('CONFIG_FILE', 'the file holds a NUL byte, so it is not text', {
      place: { file, ...positionAt(text, nul) },
      hint: 'save it as UTF-8 text',
    });
  return { file, name: basename(file, extname(file)), text };
}

async function readBytes(root: string, file: string): Promise<Buffer> {
  const path = join(root, file);
  try {
    const { size } = await stat(path);
    if (size <= mostBytes) return await readFile(path);
  } catch (error) {
    throw unreadable(file, error);
  }
  throw new ReadbackError('CONFIG_FILE', 'the file is larger than 1 MB', {
    place: { file },
    hint: 'project files are small; is this a data file?',
  });
}

function unreadable(file: string, error: unknown): ReadbackError {
  const reason = (error as NodeJS.ErrnoException).code ?? 'unknown';
  return new ReadbackError('CONFIG_FILE', `the file cannot be read (${reason})`, {
    place: { file },
    cause: error,
  });
}

function decode(bytes: Buffer, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    const text = bytes.toString('utf8');
    throw new ReadbackError('CONFIG_FILE', 'the file is not valid UTF-8', {
      place: { file, ...positionAt(text, Math.max(0, text.indexOf('\uFFFD'))) },
      hint: 'save it as UTF-8',
    });
  }
}

/** Line and column, from 1, of an offset in a text. */
export function positionAt(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { line, column: offset - before.lastIndexOf('\n') };
}
