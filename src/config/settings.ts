import { isAbsolute, resolve } from 'node:path';
import type { z } from 'zod';
import { actionsOf, connectorNames, loadConnector } from '../connectors/index.ts';
import { type Place, ReadbackError } from '../errors.ts';
import { loadWarehouse, warehouseNames } from '../warehouses/index.ts';
import type { WarehouseType } from '../warehouses/warehouse.ts';
import { check, type Origin } from './check.ts';
import type { Located, Path } from './located.ts';
import type { ConnectionConfig, WarehouseConfig } from './model.ts';
import { entryOfProfile } from './profile-entry.ts';
import { sharedSchema } from './root.ts';
import { resolveReferences, type Sources } from './secrets.ts';
import { closest, suggest } from './suggest.ts';
import { namePattern } from './vocabulary.ts';

type Settings = Record<string, unknown>;

/** One entry of `warehouses:` or `connections:`, with what the target lays over it. */
export interface Entry {
  name: string;
  /** What it is an instance of: its `type` or `connector`. */
  kind: string;
  settings: Settings;
  origin: Origin;
}

type Section = 'warehouses' | 'connections';
/** The kind of a warehouse whose type is said in a profile of dbt. */
const fromProfile = 'dbt_profile';
const kindKey = { warehouses: 'type', connections: 'connector' } as const;
const kindNames = { warehouses: warehouseNames, connections: connectorNames } as const;

/** The entries of a section under a target. Those whose kind or name is wrong are reported and left out. */
export function entriesOf(
  located: Located,
  section: Section,
  target: string | undefined,
  problems: ReadbackError[],
): Entry[] {
  const base = mapAt(located.value, [section]);
  const overlay = target === undefined ? {} : mapAt(located.value, ['targets', target, section]);
  const overlayPath = target === undefined ? [] : ['targets', target, section];
  const entries: Entry[] = [];
  for (const name of new Set([...Object.keys(base), ...Object.keys(overlay)])) {
    const over = mapAt(overlay, [name]);
    const origin = overlaid(located, [section, name], [...overlayPath, name], over);
    const { [kindKey[section]]: written, ...settings } = { ...mapAt(base, [name]), ...over };
    const kind = section === 'warehouses' && 'dbt_profile' in settings ? (written ?? fromProfile) : written;
    if (checkKind({ section, name, kind, keys: Object.keys(settings) }, origin, problems))
      entries.push({ name, kind: kind as string, settings, origin });
  }
  return entries;
}

interface Named {
  section: Section;
  name: string;
  kind: unknown;
  /** The other keys that are written there. */
  keys: string[];
}

function checkKind({ section, name, kind, keys }: Named, origin: Origin, problems: ReadbackError[]): boolean {
  const key = kindKey[section];
  const known = kindNames[section];
  const before = problems.length;
  if (!namePattern.test(name))
    problems.push(
      new ReadbackError('CONFIG_VALUE', `\`${name}\` is not a name`, {
        place: origin.keyPlace([]),
        hint: 'a name has letters, digits, _ and -, and begins with a letter',
      }),
    );
  const slip = kind === undefined ? closest(key, keys) : undefined;
  if (slip !== undefined)
    problems.push(
      new ReadbackError('CONFIG_KEY', `unknown key \`${slip}\``, {
        place: origin.keyPlace([slip]),
        hint: `did you mean \`${key}\`?`,
      }),
    );
  else if (kind === undefined)
    problems.push(
      new ReadbackError('CONFIG_KEY', `\`${key}\` is missing`, {
        place: origin.keyPlace([]),
        hint: `one of ${known.join(', ')}`,
      }),
    );
  else if (kind !== fromProfile && keys.includes('dbt_profile'))
    problems.push(
      new ReadbackError('CONFIG_KEY', `\`${key}\` and \`dbt_profile\` exclude each other`, {
        place: origin.keyPlace(['dbt_profile']),
        hint: 'keep one of them: the profile says the type',
      }),
    );
  else if (kind !== fromProfile && (typeof kind !== 'string' || !known.includes(kind)))
    problems.push(
      new ReadbackError('CONFIG_REFERENCE', `there is no ${key} \`${String(kind)}\``, {
        place: origin.place([key]),
        hint: suggest(String(kind), known),
      }),
    );
  return problems.length === before;
}

/** Places and values of settings of which some are written in the target. Their values are never shown. */
function overlaid(located: Located, base: Path, overlay: Path, over: Settings): Origin {
  const at = (path: Path): Path =>
    path[0] !== undefined && Object.hasOwn(over, path[0]) ? [...overlay, ...path] : [...base, ...path];
  const own = (path: Path): Path => (mapHas(located.value, base) ? at(path) : [...overlay, ...path]);
  return {
    place: (path) => located.placeOf(own(path)),
    keyPlace: (path) => located.placeOfKey(own(path)),
    shown: () => undefined,
  };
}

/** A warehouse whose settings its type accepts; undefined, with problems, otherwise. */
export async function checkWarehouse(
  written: Entry,
  { dbtFolder, ...sources }: Sources & { dbtFolder: string | undefined },
  problems: ReadbackError[],
): Promise<WarehouseConfig | undefined> {
  const place = written.origin.keyPlace([]);
  if (written.kind !== fromProfile) return checkTyped(written, sources, place, problems);
  const profiled = await entryOfProfile(written, { ...sources, dbtFolder }, problems);
  // dbt runs in the folder of its project, and paths of a profile are relative to that.
  const beside = { ...sources, root: dbtFolder ?? sources.root };
  return profiled && checkTyped(profiled, beside, place, problems);
}

async function checkTyped(
  entry: Entry,
  sources: Sources,
  place: Place,
  problems: ReadbackError[],
): Promise<WarehouseConfig | undefined> {
  const type = await loadWarehouse(entry.kind);
  const settings = type && (await checkSettings(type.schema, entry, entry.settings, sources, problems));
  if (!settings) return undefined;
  for (const name of ['path', 'scratch_path']) {
    const path = settings[name];
    const isFile =
      typeof path === 'string' && !path.startsWith(':') && !/^[a-z]{2,}:/.test(path) && !isAbsolute(path);
    if (isFile) settings[name] = resolve(sources.root, path);
  }
  const noSnapshots = whyNoSnapshots(type, settings);
  return { name: entry.name, type: entry.kind, settings, noSnapshots, place };
}

function whyNoSnapshots({ name, scratchSetting }: WarehouseType, settings: Settings): string | undefined {
  if (scratchSetting === undefined) return `a warehouse of type ${name} cannot keep snapshots`;
  return settings[scratchSetting] === undefined
    ? `it has no \`${scratchSetting}\` to keep snapshots in`
    : undefined;
}

/** Deadline of one call to a destination, where the connection names none. */
const defaultCallTimeoutMs = 15_000;

/** A connection whose settings its connector accepts; undefined, with problems, otherwise. */
export async function checkConnection(
  entry: Entry,
  sources: Sources,
  problems: ReadbackError[],
): Promise<ConnectionConfig | undefined> {
  const connector = await loadConnector(entry.kind);
  if (!connector) return undefined;
  const { rate_limit, timeout, ...own } = entry.settings;
  const settings = await checkSettings(connector.schema, entry, own, sources, problems);
  const given = Object.entries({ rate_limit, timeout }).filter(([, value]) => value !== undefined);
  const shared = check(sharedSchema, Object.fromEntries(given), callOrigin(entry), problems);
  if (!settings || !shared) return undefined;
  const limit = shared.rate_limit;
  return {
    name: entry.name,
    connector: entry.kind,
    settings,
    actions: actionsOf(connector, entry.settings) ?? {},
    rateLimit: limit && { requests: limit.requests, perMs: limit.per },
    timeoutMs: shared.timeout ?? defaultCallTimeoutMs,
  };
}

function callOrigin({ origin, settings }: Entry): Origin {
  return {
    ...origin,
    shown: (path) =>
      String(path.reduce<unknown>((value, key) => (value as Settings)?.[String(key)], settings)),
  };
}

/** Settings with their references resolved, as the schema has them; undefined, with problems, otherwise. */
export async function checkSettings<T extends z.ZodType>(
  schema: T,
  { origin }: Pick<Entry, 'origin'>,
  settings: Settings,
  sources: Sources,
  problems: ReadbackError[],
): Promise<z.output<T> | undefined> {
  const before = problems.length;
  const resolved = await resolveReferences(settings, sources, origin, problems);
  const reported = (path: Path): boolean =>
    resolved.unresolved.some(
      (done) => done.length === path.length && done.every((key, index) => key === path[index]),
    );
  const checked = check(schema, resolved.settings, origin, problems, reported);
  return problems.length === before ? checked : undefined;
}

function mapAt(root: unknown, path: readonly string[]): Settings {
  let value = root;
  for (const key of path) value = mapHas(value, [key]) ? (value as Settings)[key] : undefined;
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Settings) : {};
}

function mapHas(root: unknown, path: Path): boolean {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return false;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return true;
}
