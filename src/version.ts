import { readFileSync } from 'node:fs';

/** The package's own version; the file is one folder up from both `src` and `dist`. */
export function packageVersion(): string {
  const file = new URL('../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
