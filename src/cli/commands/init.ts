import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ReadbackError } from '../../errors.ts';
import type { GlobalOptions } from '../options.ts';
import { print } from '../output.ts';

/** Beside both `src/` and `dist/`, and part of the package. */
const templates = fileURLToPath(new URL('../../../examples/init/', import.meta.url));

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
  print(nextSteps(relative(process.cwd(), folder)));
  return 0;
}

async function refuseToOverwrite(folder: string): Promise<void> {
  const ours = [...(await readdir(templates)), '.gitignore', 'warehouse.duckdb'];
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

function nextSteps(folder: string): string {
  const enter = folder === '' ? [] : [`  cd ${folder}`];
  return [
    `Made a project${folder === '' ? ' here' : ` in ${folder}`}: a DuckDB warehouse with six customers, one signal, two destinations.`,
    '',
    'Next, without any account:',
    ...enter,
    '  readback validate                              # check files and SQL',
    '  readback preview churn_risk                    # what would be sent',
    '  readback sandbox hubspot slack --port 4600     # in a second terminal',
    '  readback run                                   # poll, act, read back',
    '  readback report                                # detected versus acted',
    '  readback trace C-1001                          # one customer, every attempt',
    '',
    'Then put your own warehouse and accounts into readback.yml and run: readback doctor',
  ].join('\n');
}
