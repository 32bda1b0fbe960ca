import { execFile } from 'node:child_process';
import { cp, mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The tree as plain JavaScript, for the measured processes. */
export interface Compiled {
  /** The compiled form of a file of this folder: `poll.ts`. */
  file(name: string): string;
  remove(): Promise<void>;
}

/**
 * Compiles `src/` and `test/` into a folder of its own. Measured processes run this as users run the package: a
 * TypeScript loader in the process would cost 34 MB of its peak memory and slow its functions down.
 */
export async function compileTree(): Promise<Compiled> {
  const folder = join(root, 'target', `bench-${process.pid}`);
  const remove = () => rm(folder, { recursive: true, force: true });
  await remove();
  await mkdir(folder, { recursive: true });
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  // Types are `npm run check`'s to judge, and take most of a compiler's time.
  const judged = ['--noEmit', 'false', '--noCheck'];
  const options = ['--project', root, ...judged, '--rootDir', root, '--outDir', folder];
  await promisify(execFile)(process.execPath, [compiler, ...options]);
  for (const name of ['sql', 'package.json']) await symlink(join(root, name), join(folder, name));
  await cp(join(root, 'src'), join(folder, 'src'), {
    recursive: true,
    filter: (path) => !/\.\w+$/.test(path) || path.endsWith('.sql'),
  });
  return { file: (name) => join(folder, 'test/bench', name.replace(/\.ts$/, '.js')), remove };
}
