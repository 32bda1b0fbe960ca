import { relative, resolve } from 'node:path';
import type { GlobalOptions } from '../options.ts';
import { print, remark } from '../output.ts';
import { schemaFolder, writeSchemas } from '../schemas.ts';
import { openProject, remarkProblems } from '../session.ts';

/** `readback schemas [dir]`: JSON Schemas of everything the project's files may say, for editors. */
export async function execute(options: GlobalOptions, [dir]: [string | undefined]): Promise<number> {
  const project = await openProject(options);
  remarkProblems(project);
  const folder = resolve(project.root, dir ?? schemaFolder);
  for (const file of await writeSchemas(folder, project)) print(relative(process.cwd(), file));
  remark('An editor uses them by the first line of a file in destinations/:');
  remark(`# yaml-language-server: $schema=../${relative(project.root, folder)}/destination.json`);
  return 0;
}
