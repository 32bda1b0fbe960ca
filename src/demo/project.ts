import { cp, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

/** The package's own example project: what stands beside `src/` or `dist/`. */
const packageRoot = fileURLToPath(new URL('../../', import.meta.url));

/** What makes up a project, as a user would have it. */
const projectFiles = ['readback.yml', 'signals', 'destinations', 'sql/enrich'];

/** Copies the example project into an empty folder, so that the demo never touches anything of the user's. */
export async function copyProject(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'sql'), { recursive: true });
  for (const file of projectFiles) await cp(join(packageRoot, file), join(folder, file), { recursive: true });
}

/** The connectors that the copy's connections use. */
export async function connectorsOf(folder: string): Promise<string[]> {
  const { connections } = parse(await readFile(join(folder, 'readback.yml'), 'utf8')) as {
    connections: Record<string, { connector: string }>;
  };
  return Object.values(connections).map(({ connector }) => connector);
}

/** Runs one of `sql/demo/*.sql` on the demo's warehouse file: the data team at work. */
export async function runScript(folder: string, script: string): Promise<void> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(join(folder, 'warehouse.duckdb'));
  const connection = await instance.connect();
  try {
    await connection.run(await readFile(join(packageRoot, 'sql/demo', script), 'utf8'));
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
