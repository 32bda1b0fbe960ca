import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ReadbackError } from '../errors.ts';
import type { DbtProject } from './project.ts';

const version = z.union([z.string(), z.number()]).nullish();

/** What is read of a node; https://schemas.getdbt.com/dbt/manifest/v12.json has all of it. */
const nodeSchema = z.looseObject({
  resource_type: z.string(),
  name: z.string(),
  package_name: z.string(),
  relation_name: z.string().nullish(),
  version,
  latest_version: version,
  depends_on: z.looseObject({ nodes: z.array(z.string()).default([]) }).optional(),
});

const limit = z.looseObject({ count: z.number().nullish() }).nullish();
const freshness = z.looseObject({ warn_after: limit, error_after: limit }).nullish();

const sourceSchema = z.looseObject({
  source_name: z.string(),
  name: z.string(),
  package_name: z.string(),
  relation_name: z.string().nullish(),
  freshness,
  config: z.looseObject({ freshness }).nullish(),
});

const manifestSchema = z.looseObject({
  metadata: z.looseObject({ dbt_schema_version: z.string(), project_name: z.string().nullish() }),
  nodes: z.record(z.string(), z.unknown()),
  sources: z.record(z.string(), z.unknown()),
});

export type Node = z.output<typeof nodeSchema> & { id: string };
export type Source = z.output<typeof sourceSchema> & { id: string };

/** As much of dbt's `manifest.json` as tells what a `ref()` or `source()` means. */
export interface Manifest {
  /** As the user knows it. */
  file: string;
  project: DbtProject;
  /** The project whose names come first; not in manifests of dbt below 1.6. */
  projectName: string | undefined;
  /** What `ref()` can mean: models, seeds and snapshots. */
  nodes: readonly Node[];
  sources: readonly Source[];
}

/** From dbt 1.3 on a manifest has all that is read here. */
const oldestVersion = 7;
const refable = ['model', 'seed', 'snapshot'];

/** Reads `target/manifest.json` of the dbt project. @throws ReadbackError CONFIG_FILE */
export async function readManifest(project: DbtProject): Promise<Manifest> {
  const file = `${project.shown}/manifest.json`;
  const refuse = (message: string, cause?: unknown) =>
    new ReadbackError('CONFIG_FILE', message, {
      place: { file },
      hint: 'let dbt write it: `dbt parse`, `dbt build`, or `target_path` of another target',
      cause,
    });
  const content = await readArtifact(`${project.artifacts}/manifest.json`, refuse);
  const checked = manifestSchema.safeParse(content);
  if (!checked.success) throw refuse('this is not a manifest of dbt', checked.error);
  const { metadata, nodes, sources } = checked.data;
  const written = Number(/\/manifest\/v(\d+)\.json$/.exec(metadata.dbt_schema_version)?.[1] ?? 0);
  if (written < oldestVersion)
    throw refuse(`the manifest is of version ${written}, and ${oldestVersion} is the oldest that is read`);
  return {
    file,
    project,
    projectName: metadata.project_name ?? undefined,
    nodes: entriesOf(nodeSchema, nodes).filter((node) => refable.includes(node.resource_type)),
    sources: entriesOf(sourceSchema, sources),
  };
}

/** A JSON file that dbt wrote. */
export async function readArtifact(
  path: string,
  refuse: (message: string, cause?: unknown) => ReadbackError,
): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw refuse(`the file cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`, error);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw refuse('the file is not JSON', error);
  }
}

/** What is of another form is nothing that can be referred to. */
function entriesOf<Entry>(
  schema: z.ZodType<Entry>,
  entries: Record<string, unknown>,
): (Entry & { id: string })[] {
  return Object.entries(entries).flatMap(([id, entry]) => {
    const checked = schema.safeParse(entry);
    return checked.success ? [{ ...checked.data, id }] : [];
  });
}
