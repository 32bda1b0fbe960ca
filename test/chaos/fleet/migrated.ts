import { cp, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * The compiled product as its next version might be: the same program with one more migration.
 *
 * @returns the path of its command line
 */
export async function nextVersion(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const part of ['dist', 'sql', 'package.json']) {
    await cp(join(root, part), join(folder, part), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  const migrations = join(folder, 'sql/migrations');
  const next = (await readdir(migrations)).filter((file) => file.endsWith('.sql')).length + 1;
  await writeFile(
    join(migrations, `${String(next).padStart(6, '0')}.sql`),
    'alter table actions add column of_the_next_version text;\n',
  );
  return join(folder, 'dist/cli/main.js');
}
