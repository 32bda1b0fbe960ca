import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { jsonSchemas } from '../../config/schemas.ts';
import type { GlobalOptions } from '../options.ts';
import { print, remark, toJsonText } from '../output.ts';
import { openProject, remarkProblems } from '../session.ts';

/** `readback schemas [dir]`: JSON Schemas of everything the project's files may say, for editors. */
export async function execute(options: GlobalOptions, [dir]: [string]): Promise<number> {
  const project = await openProject(options);
  remarkProblems(project);
  const folder = resolve(project.root, dir);
  await mkdir(folder, { recursive: true });
  const schemas = await jsonSchemas(project);
  for (const [name, schema] of Object.entries(schemas)) {
    await writeFile(join(folder, name), toJsonText(schema));
    print(relative(process.cwd(), join(folder, name)));
  }
  remark(`In VS Code, with the YAML extension, in settings.json:
  "yaml.schemas": { "${dir}/readback.json": "readback.yml", "${dir}/destination.json": "destinations/*.yaml" }`);
  return 0;
}
