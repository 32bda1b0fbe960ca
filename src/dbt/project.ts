import { resolve } from 'node:path';
import { z } from 'zod';

/** `dbt:` of readback.yml. */
export const dbtSchema = z.strictObject({
  project: z.string().trim().min(1).describe('Folder of dbt_project.yml, relative to readback.yml.'),
  target_path: z
    .string()
    .trim()
    .min(1)
    .default('target')
    .describe('Where dbt writes manifest.json and sources.json, relative to its project.'),
});

/** A dbt project on disk. */
export interface DbtProject {
  /** Absolute. */
  folder: string;
  /** Absolute folder of manifest.json and sources.json. */
  artifacts: string;
  /** The same as the user wrote it, for places. */
  shown: string;
}

export function dbtProject(root: string, settings: z.output<typeof dbtSchema>): DbtProject {
  const { project, target_path } = settings;
  const folder = resolve(root, project);
  return {
    folder,
    artifacts: resolve(folder, target_path),
    shown: `${project}/${target_path}`.replaceAll(/\/{2,}/g, '/'),
  };
}
