import type { OutputFormat } from './output.ts';

/** What every command understands. Kept free of imports that run: `--help` loads this. */
export interface GlobalOptions {
  project?: string;
  target?: string;
  logLevel?: string;
  progress: boolean;
}

export interface OutputOptions extends GlobalOptions {
  output: OutputFormat;
}

export interface SelectOptions {
  select?: string[];
  exclude?: string[];
}

export interface CompareOptions extends SelectOptions {
  /** A manifest of an earlier run, or its folder. */
  state?: string;
}

/**
 * `--only a,b` as entity keys. A key of several columns is written as its JSON array and stands alone:
 * `--only '["C-1","EU"]'`.
 */
export function collectKeys(text: string, earlier: string[] = []): string[] {
  if (text.startsWith('[')) return [...earlier, compact(text)];
  return [...earlier, ...splitList(text)];
}

/** The ledger writes keys without blanks. Text that is not JSON is a key that begins with a bracket. */
function compact(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return text;
  }
}

/** `a, b` as its parts; empty ones do not count. */
export function splitList(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
