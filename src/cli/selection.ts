import { readFile } from 'node:fs/promises';
import { join, parse, resolve } from 'node:path';
import { z } from 'zod';
import { type Fingerprints, parseSelection, type Selected, select } from '../config/index.ts';
import type { Destination, Project, Signal } from '../config/model.ts';
import { suggest } from '../config/suggest.ts';
import { ReadbackError } from '../errors.ts';
import type { CompareOptions, SelectOptions } from './options.ts';

/** What `--select` and `--exclude` mean; everything without them. */
export async function resolveSelection(project: Project, options: CompareOptions): Promise<Selected> {
  const selection = options.select && parseSelection(options.select.join(' '));
  const exclude = options.exclude && parseSelection(options.exclude.join(' '));
  const previous = await previousFingerprints(project, options.state);
  try {
    return select(project, selection, { exclude, previous });
  } catch (error) {
    throw error instanceof ReadbackError ? pointingToFile(error, project) : error;
  }
}

/** Who names a broken file exactly should hear that it is broken, not that there is none. */
function pointingToFile(error: ReadbackError, project: Project): ReadbackError {
  const name = error.value?.replace(/^\+?(?:\w+:)?|\+$/g, '');
  const file = project.problems
    .map(({ place }) => place?.file ?? '')
    .find((path) => parse(path).name === name && path !== 'readback.yml');
  if (!file) return error;
  const { code, message, place, value } = error;
  return new ReadbackError(code, message, {
    place,
    value,
    hint: `${file} has problems and was left out; \`readback validate\` tells them`,
  });
}

/** The selected signals, and those that feed a selected destination: what `run` polls and `compile` prints. */
export async function selectSignals(project: Project, options: CompareOptions): Promise<Signal[]> {
  const { signals, destinations } = await resolveSelection(project, options);
  for (const name of destinations) {
    // Without --select all are chosen; with --exclude alone, an excluded signal must stay out.
    if (options.select)
      for (const signal of project.destinations.get(name)?.signals ?? []) signals.add(signal);
  }
  return [...project.signals.values()].filter((signal) => signals.has(signal.name));
}

/**
 * Signals and destinations as a filter on actions, which have one of each. A side of which nothing was selected is not
 * restricted: `--select churn_risk` means its actions at all destinations.
 */
export async function selectActions(
  project: Project,
  { select, exclude }: SelectOptions,
): Promise<{ signals: string[] | undefined; destinations: string[] | undefined }> {
  if (!select && !exclude) return { signals: undefined, destinations: undefined };
  const options = { ...(select && { select }), ...(exclude && { exclude }) };
  const { signals, destinations } = await resolveSelection(project, options);
  const named = (names: Set<string>): string[] | undefined => (names.size > 0 ? [...names] : undefined);
  return { signals: named(signals), destinations: named(destinations) };
}

/** The selected items themselves. */
export async function selectItems(
  project: Project,
  options: CompareOptions,
): Promise<{ signals: Signal[]; destinations: Destination[] }> {
  const selected = await resolveSelection(project, options);
  return {
    signals: [...project.signals.values()].filter(({ name }) => selected.signals.has(name)),
    destinations: [...project.destinations.values()].filter(({ name }) => selected.destinations.has(name)),
  };
}

/** A single signal by its name. @throws ReadbackError SELECTION */
export function requireSignal(project: Project, name: string): Signal {
  const signal = project.signals.get(name);
  if (signal) return signal;
  throw new ReadbackError('SELECTION', `there is no usable signal \`${name}\``, {
    hint: suggest(name, project.signals.keys()),
  });
}

const hashes = z.record(z.string(), z.string());
const manifestSchema = z.looseObject({ fingerprints: z.object({ signals: hashes, destinations: hashes }) });

/** For `state:modified`: of the last `run` or `start`, if there was one, or of the manifest that was named. */
async function previousFingerprints(
  project: Project,
  state: string | undefined,
): Promise<Fingerprints | undefined> {
  const named = resolve(state ?? join(project.root, 'target'));
  const file = named.endsWith('.json') ? named : join(named, 'manifest.json');
  try {
    return manifestSchema.parse(JSON.parse(await readFile(file, 'utf8'))).fingerprints;
  } catch (error) {
    if (state === undefined) return undefined;
    throw new ReadbackError('USAGE', `${file} is not a manifest of an earlier run`, {
      hint: 'keep target/manifest.json of a run, and name it or its folder with --state',
      cause: error,
    });
  }
}
