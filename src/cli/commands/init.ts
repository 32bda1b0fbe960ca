import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ReadbackError } from '../../errors.ts';
import type { GlobalOptions } from '../options.ts';
import { print } from '../output.ts';
import { schemaFolder, writeSchemas } from '../schemas.ts';

/** Beside both `src/` and `dist/`, and part of the package. */
const examples = fileURLToPath(new URL('../../../examples/', import.meta.url));
const templates = join(examples, 'init');

/** `readback init [dir]`: a small project that runs at once, against sandboxes. */
export async function execute(_options: GlobalOptions, [dir]: [string]): Promise<number> {
  const folder = resolve(dir);
  await refuseToOverwrite(folder);
  await mkdir(folder, { recursive: true });
  await cp(templates, folder, { recursive: true });
  // npm leaves a file named .gitignore out of packages.
  await rename(join(folder, 'gitignore'), join(folder, '.gitignore'));
  await nameProject(folder);
  await makeWarehouse(folder);
  await writeSchemas(join(folder, schemaFolder));
  print(await nextSteps(folder));
  return 0;
}

async function refuseToOverwrite(folder: string): Promise<void> {
  const ours = [...(await readdir(templates)), '.gitignore', schemaFolder, 'warehouse.duckdb'];
  const taken = ours.filter((name) => existsSync(join(folder, name)));
  if (taken.length === 0) return;
  throw new ReadbackError('USAGE', `${folder} already has ${taken.join(', ')}; nothing was written`, {
    hint: 'name an empty folder: readback init my-project',
  });
}

/** The project is called like its folder, as far as that makes a name. */
async function nameProject(folder: string): Promise<void> {
  const name = basename(folder)
    .replace(/[^A-Za-z0-9_-]+/g, '_')
    .replace(/^[^A-Za-z_]+/, '')
    .slice(0, 100);
  const file = join(folder, 'readback.yml');
  const text = await readFile(file, 'utf8');
  if (name !== '') await writeFile(file, text.replace('project: my_project', `project: ${name}`));
}

/** The sample data. A project of one's own would not have it: the data team fills the warehouse. */
async function makeWarehouse(folder: string): Promise<void> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(join(folder, 'warehouse.duckdb'));
  const connection = await instance.connect();
  try {
    await connection.run(await readFile(join(folder, 'warehouse.sql'), 'utf8'));
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

async function nextSteps(folder: string): Promise<string> {
  const path = relative(process.cwd(), folder);
  const shown = path.startsWith('..') ? folder : path;
  const made = `Made a project ${shown === '' ? 'here' : `in ${shown}`}: a warehouse file with six customers, one signal, two destinations.`;
  const steps = await readFile(join(examples, 'init-next-steps.txt'), 'utf8');
  return `${made}\n${shown === '' ? '' : `\n  cd ${shown}\n`}${steps}`;
}
