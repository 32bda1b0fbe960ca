import { spawn } from 'node:child_process';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bug, Edit } from './bugs.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
/** All that a build is made of; `node_modules` is found by looking upward. */
const parts = ['src', 'sql', 'schema', 'scripts', 'package.json', 'tsconfig.json', 'tsconfig.build.json'];

/**
 * Builds the product with a bug in it, from a copy of its sources. The sources themselves are only read, and `target/`
 * is in no package.
 *
 * @returns the path of the variant's `dist/cli/main.js`
 * @throws when an edit does not apply, naming the bug
 */
export async function buildVariant(bug: Bug): Promise<string> {
  const changed = await mutate(bug);
  const folder = join(root, 'target', 'planted', bug.name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const part of parts) await cp(join(root, part), join(folder, part), { recursive: true });
  for (const [file, text] of changed) await writeFile(join(folder, file), text);
  // A bug need not satisfy the compiler: it emits all the same, and only what it emits is looked at.
  await run(folder, [join(compiler, 'bin', 'tsc'), '-p', 'tsconfig.build.json']);
  await run(folder, ['scripts/copy-sql.mjs']);
  return join(folder, 'dist', 'cli', 'main.js');
}

/**
 * The files that a bug changes, with their new text.
 *
 * @throws when a text to change is not there exactly once, naming the bug: today's sources have moved on
 */
export async function mutate(bug: Bug): Promise<Map<string, string>> {
  const changed = new Map<string, string>();
  for (const edit of bug.edits) {
    const text = changed.get(edit.file) ?? (await readFile(join(root, edit.file), 'utf8'));
    changed.set(edit.file, apply(bug, edit, text));
  }
  return changed;
}

function apply(bug: Bug, { file, find, replace }: Edit, text: string): string {
  const [before, after, ...more] = text.split(find);
  if (before !== undefined && after !== undefined && more.length === 0) return before + replace + after;
  const count = after === undefined ? 'not there' : `there ${more.length + 1} times`;
  throw new Error(`the bug ${bug.name} cannot be planted: what it changes in ${file} is ${count}: ${find}`);
}

const compiler = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));

function run(folder: string, words: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, words, { cwd: folder, stdio: 'ignore' });
    child.once('error', reject);
    child.once('exit', () => resolve());
  });
}
