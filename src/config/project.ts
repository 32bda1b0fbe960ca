import { resolve } from 'node:path';
import { readManifest } from '../dbt/manifest.ts';
import { ReadbackError } from '../errors.ts';
import { readDestination } from './destination.ts';
import { readEnrichment } from './enrichment.ts';
import { listFiles, readSource, type SourceFile } from './files.ts';
import { link } from './link.ts';
import { linkTriggers } from './link-triggers.ts';
import type { Destination, Enrichment, Project, Signal } from './model.ts';
import type { Files } from './parts.ts';
import { retentionOf } from './root.ts';
import { type Declared, readRoot } from './root-file.ts';
import type { Environment } from './secrets.ts';
import { readSignal } from './signal.ts';
import { namePattern } from './vocabulary.ts';

export interface LoadOptions {
  /** Which of `targets:` to lay over the settings; READBACK_TARGET if absent. */
  target?: string | undefined;
  env?: Environment | undefined;
}

/**
 * Reads and checks a project. What is broken is left out and told in `problems`; the rest can run. No driver or SDK is
 * loaded and nothing is connected to.
 *
 * @throws ReadbackError CONFIG_FILE when there is no `readback.yml`
 */
export async function loadProject(root: string, options: LoadOptions = {}): Promise<Project> {
  const env = options.env ?? process.env;
  const folder = resolve(root);
  const problems: ReadbackError[] = [];
  const target = options.target ?? (env.READBACK_TARGET || undefined);
  const declared = await readRoot(folder, { env, target }, problems);
  if (!declared) return project(folder, undefined, new Map(), new Map(), new Map(), problems);

  const { defaults, warehouseNames: warehouses, written, dbt } = declared;
  // A project that refers to nothing of dbt's does not need its manifest.
  const manifest = dbt && (await readManifest(dbt).catch((error: ReadbackError) => error));
  const signals = await readAll(folder, 'signals', ['.sql'], problems, (source) =>
    readSignal(source, { defaults, warehouses, manifest }, problems),
  );
  const enrichments = await readAll(folder, 'sql/enrich', ['.sql'], problems, (source) =>
    readEnrichment(source, { warehouses, manifest }, problems),
  );
  const drafts = await readAll(folder, 'destinations', ['.yaml', '.yml'], problems, (source) =>
    readDestination(source, { defaults, connections: written }, problems),
  );
  await linkTriggers(signals.loaded, declared.warehouses, problems);
  const destinations = link({ ...declared, signals, drafts, enrichments }, problems);
  return project(folder, declared, signals.loaded, destinations, enrichments.loaded, problems);
}

function project(
  root: string,
  declared: Declared | undefined,
  signals: Map<string, Signal>,
  destinations: Map<string, Destination>,
  enrichments: Map<string, Enrichment>,
  problems: ReadbackError[],
): Project {
  return {
    root,
    name: declared?.project ?? '',
    warehouses: declared?.warehouses ?? new Map(),
    connections: declared?.connections ?? new Map(),
    signals,
    destinations,
    enrichments,
    api: declared?.api,
    dbt: declared?.dbt,
    retentionMs: retentionOf(declared?.defaults ?? {}),
    problems,
  };
}

/** Reads every file of a folder by its own rules. A broken file is a problem, never the end of the others. */
async function readAll<T>(
  root: string,
  folder: string,
  endings: readonly string[],
  problems: ReadbackError[],
  read: (source: SourceFile) => T | undefined | Promise<T | undefined>,
): Promise<Files<T>> {
  const loaded = new Map<string, T>();
  const written = new Map<string, string>();
  for (const file of await filesIn(root, folder, endings, problems)) {
    try {
      const source = await readSource(root, file);
      refuseName(source, written.get(source.name));
      written.set(source.name, file);
      const item = await read(source);
      if (item !== undefined) loaded.set(source.name, item);
    } catch (error) {
      if (!(error instanceof ReadbackError)) throw error;
      problems.push(error);
    }
  }
  return { loaded, written };
}

async function filesIn(
  root: string,
  folder: string,
  endings: readonly string[],
  problems: ReadbackError[],
): Promise<string[]> {
  try {
    return await listFiles(root, folder, endings);
  } catch (error) {
    problems.push(error as ReadbackError);
    return [];
  }
}

function refuseName({ file, name }: SourceFile, twin: string | undefined): void {
  if (!namePattern.test(name))
    throw new ReadbackError('CONFIG_VALUE', 'the file name is the name, and is not a good one', {
      place: { file },
      value: name,
      hint: 'use letters, digits, _ and -, beginning with a letter',
    });
  if (twin !== undefined)
    throw new ReadbackError('CONFIG_VALUE', `\`${name}\` is already the name of ${twin}`, {
      place: { file },
      hint: 'folders do not count; rename one of the files',
    });
}
