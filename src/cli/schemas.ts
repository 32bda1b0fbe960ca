import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jsonSchemas } from '../config/index.ts';
import type { Project } from '../config/model.ts';
import { toJsonText } from './output.ts';

/** The first line of a new project's YAML files points there. */
export const schemaFolder = '.readback-schemas';

/** Writes JSON Schemas for editors, of a project that is already known by its own actions; returns the files. */
export async function writeSchemas(folder: string, project?: Project): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const schemas = Object.entries(await jsonSchemas(project));
  for (const [name, schema] of schemas) await writeFile(join(folder, name), toJsonText(schema));
  return schemas.map(([name]) => join(folder, name));
}
