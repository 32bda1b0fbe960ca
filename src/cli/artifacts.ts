import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fingerprints } from '../config/index.ts';
import type { Project } from '../config/model.ts';
import { toJsonText } from './output.ts';

/** Writes a file under the project's `target/`, whole or not at all: other tools may be reading the last one. */
export async function writeArtifact(project: Project, path: string, text: string): Promise<string> {
  const file = join(project.root, 'target', path);
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}.tmp`;
  await writeFile(draft, text);
  await rename(draft, file);
  return file;
}

/** `target/manifest.json`: what the project consists of, without settings, which may hold secrets. */
export function writeManifest(project: Project): Promise<string> {
  const manifest = {
    version: 1,
    project: project.name,
    generated_at: new Date().toISOString(),
    // What `--select state:modified` compares with.
    fingerprints: fingerprints(project),
    warehouses: list(project.warehouses, ({ name, type }) => ({ name, type })),
    connections: list(project.connections, ({ name, connector }) => ({ name, connector })),
    signals: list(project.signals, ({ places: _, sqlLine: __, dbt, ...signal }) => ({
      ...signal,
      depends_on: dbt?.references.map(({ id }) => id) ?? [],
    })),
    destinations: list(project.destinations, ({ places: _, ...destination }) => destination),
    enrichments: list(project.enrichments, ({ sqlLine: _, dbt, ...enrichment }) => ({
      ...enrichment,
      depends_on: dbt?.references.map(({ id }) => id) ?? [],
    })),
    problems: project.problems.map(({ code, message, place }) => ({ code, message, place })),
  };
  return writeArtifact(project, 'manifest.json', toJsonText(manifest));
}

function list<Item, Shown>(items: ReadonlyMap<string, Item>, show: (item: Item) => Shown): Shown[] {
  return [...items.values()].map(show);
}
