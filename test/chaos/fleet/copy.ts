import { cp, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * A copy of the compiled product, so that neither a build nor a merge in this tree disturbs a drill under way.
 *
 * @returns the path of its command line
 */
export async function copyProduct(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const part of ['dist', 'sql', 'package.json']) {
    await cp(join(root, part), join(folder, part), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  return join(folder, 'dist/cli/main.js');
}

/** The product as its next version might be: the same program with one more migration. */
export async function copyNextVersion(folder: string): Promise<string> {
  const main = await copyProduct(folder);
  const migrations = join(folder, 'sql/migrations');
  const next = (await readdir(migrations)).filter((file) => file.endsWith('.sql')).length + 1;
  await writeFile(
    join(migrations, `${String(next).padStart(6, '0')}.sql`),
    'alter table actions add column of_the_next_version text;\n',
  );
  return main;
}
