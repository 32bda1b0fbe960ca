import type { Actions } from '../connectors/connector.ts';
import { actionsOf, loadConnector } from '../connectors/index.ts';
import { type DbtProject, dbtProject, dbtSchema } from '../dbt/project.ts';
import { ReadbackError } from '../errors.ts';
import { readApi } from './api.ts';
import { check, originIn } from './check.ts';
import { readSource } from './files.ts';
import type { Located } from './located.ts';
import type { ApiConfig, ConnectionConfig, WarehouseConfig } from './model.ts';
import { type Defaults, defaultsSchema, type Root, rootSchema } from './root.ts';
import type { Environment } from './secrets.ts';
import { checkConnection, checkWarehouse, type Entry, entriesOf } from './settings.ts';
import { suggest } from './suggest.ts';
import { parseYaml } from './yaml.ts';

export const rootFileName = 'readback.yml';

/** What `readback.yml` declares, and how much of it can be used. */
export interface Declared {
  project: string;
  defaults: Defaults;
  dbt: DbtProject | undefined;
  warehouses: Map<string, WarehouseConfig>;
  connections: Map<string, ConnectionConfig>;
  api: ApiConfig | undefined;
  /** Every name that is written there, usable or not. */
  warehouseNames: string[];
  /** Every connection that is written there, with its actions when those are known. */
  written: Map<string, WrittenConnection | undefined>;
}

/** A connection whose connector is known. Its settings may have problems: its destinations are checked all the same. */
export interface WrittenConnection {
  connector: string;
  actions: Actions;
}

/**
 * Reads `readback.yml`. Undefined, with problems, when it is not YAML or does not name the project: then nothing can run.
 *
 * @throws ReadbackError CONFIG_FILE when it is missing or unreadable; CONFIG_REFERENCE when it has no such target
 */
export async function readRoot(
  root: string,
  options: { env: Environment; target: string | undefined },
  problems: ReadbackError[],
): Promise<Declared | undefined> {
  const source = await readSource(root, rootFileName).catch((error: ReadbackError) => {
    problems.push(refuseMissing(error));
    return undefined;
  });
  if (!source) return undefined;
  const located = parseYaml(source.file, source.text, problems);
  if (!located) return undefined;
  const value = located.value ?? {};
  const { project, defaults, dbt } = checkRoot(value, located, problems);
  if (project === undefined) return undefined;
  const target = knownTarget(options.target, located);
  const sections = written(value);
  const declared: Declared = {
    project,
    defaults,
    dbt: dbt && dbtProject(root, dbt),
    warehouses: new Map(),
    connections: new Map(),
    api: await readApi(located, { root, env: options.env }, problems),
    warehouseNames: sections.warehouses,
    written: new Map(sections.connections.map((name) => [name, undefined])),
  };
  for (const entry of entriesOf(located, 'warehouses', target, problems)) {
    if (!declared.warehouseNames.includes(entry.name)) declared.warehouseNames.push(entry.name);
    const sources = { root, env: options.env, dbtFolder: declared.dbt?.folder };
    const warehouse = await checkWarehouse(entry, sources, problems);
    if (warehouse) declared.warehouses.set(entry.name, warehouse);
  }
  for (const entry of entriesOf(located, 'connections', target, problems)) {
    declared.written.set(entry.name, await writtenConnection(entry));
    const connection = await checkConnection(entry, { root, env: options.env }, problems);
    if (connection) declared.connections.set(entry.name, connection);
  }
  return declared;
}

async function writtenConnection({ kind, settings }: Entry): Promise<WrittenConnection | undefined> {
  const connector = await loadConnector(kind);
  const actions = connector && actionsOf(connector, settings);
  return actions && { connector: kind, actions };
}

/** A file that is there but is no text is a problem like others; without any, this is not a project. */
function refuseMissing(error: ReadbackError): ReadbackError {
  if (error.cause === undefined) return error;
  throw new ReadbackError('CONFIG_FILE', `${rootFileName}: ${error.message}`, {
    place: { file: rootFileName },
    hint: 'run `readback init`, or name the project folder with --project',
    cause: error,
  });
}

/** A mistake beside the project's name does not take the name and the good defaults away. */
function checkRoot(
  value: object,
  located: Located,
  problems: ReadbackError[],
): { project: string | undefined } & Pick<Root, 'defaults' | 'dbt'> {
  const checked = check(rootSchema, value, originIn(located), problems);
  if (checked) return checked;
  const project = rootSchema.shape.project.safeParse((value as Record<string, unknown>).project);
  const defaults = defaultsSchema.safeParse((value as Record<string, unknown>).defaults ?? {});
  const dbt = dbtSchema.safeParse((value as Record<string, unknown>).dbt);
  return {
    project: project.data,
    defaults: defaults.data ?? {},
    ...(dbt.data && { dbt: dbt.data }),
  };
}

function written(value: object): { warehouses: string[]; connections: string[] } {
  const { warehouses, connections } = value as Record<string, unknown>;
  const keys = (section: unknown): string[] =>
    typeof section === 'object' && section !== null && !Array.isArray(section) ? Object.keys(section) : [];
  return { warehouses: keys(warehouses), connections: keys(connections) };
}

/** With a mistyped target nothing may reach the accounts of another, so it is no problem among others: nothing runs. */
function knownTarget(target: string | undefined, located: Located): string | undefined {
  if (target === undefined) return undefined;
  const { targets } = located.value as { targets?: unknown };
  const known = typeof targets === 'object' && targets !== null ? Object.keys(targets) : [];
  if (known.includes(target)) return target;
  throw new ReadbackError('CONFIG_REFERENCE', `there is no target \`${target}\` in ${rootFileName}`, {
    place: located.placeOfKey(['targets']),
    hint: suggest(target, known) ?? 'define it under targets:',
  });
}
