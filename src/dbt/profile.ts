import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, relative } from 'node:path';
import { readSource } from '../config/files.ts';
import type { Located, Path } from '../config/located.ts';
import { Secret } from '../config/secret.ts';
import type { Environment } from '../config/secrets.ts';
import { suggest } from '../config/suggest.ts';
import { parseYaml } from '../config/yaml.ts';
import { ReadbackError } from '../errors.ts';
import { parseCall } from './jinja.ts';

/** One output of a `profiles.yml`: what dbt connects with. */
export interface ProfileOutput {
  /** Of dbt's adapter, as `postgres`. */
  type: string;
  settings: Record<string, unknown>;
  located: Located;
  path: Path;
}

/** Where `profiles.yml` may lie, and what its `env_var()` sees. */
export interface ProfileSources {
  root: string;
  /** The dbt project, when readback.yml names one. */
  dbtFolder: string | undefined;
  env: Environment;
}

const fileName = 'profiles.yml';

/**
 * Reads `profile` or `profile.target` of the `profiles.yml` that dbt would take.
 *
 * @throws ReadbackError with the place in profiles.yml, or without one when that is not found
 */
export async function readProfile(wanted: string, sources: ProfileSources): Promise<ProfileOutput> {
  const folder = folderOf(sources);
  const shown = join(relative(sources.root, folder) || '.', fileName);
  const file = shown.startsWith('../../../') ? join(folder, fileName) : shown;
  const source = await readSource(folder, fileName).catch((error: ReadbackError) => {
    throw new ReadbackError('CONFIG_FILE', `${file}: ${error.message}`, {
      hint: 'looked for where dbt does: DBT_PROFILES_DIR, the dbt project, this project, ~/.dbt',
    });
  });
  const problems: ReadbackError[] = [];
  const located = parseYaml(file, source.text, problems);
  if (!located) throw problems[0] ?? new Error(`${file} was not read`);
  const profiles = mapOf(located.value);
  const { profile, target } = partsOf(wanted, profiles);
  const { outputs, target: usual } = mapOf(profiles[profile]);
  if (!Object.hasOwn(profiles, profile))
    throw unknown(located, [], `profile \`${profile}\``, profile, profiles);
  const render = (value: unknown, path: Path) => rendered(value, path, located, sources.env);
  const output = target ?? String(render(usual ?? 'default', [profile, 'target']));
  const path = [profile, 'outputs', output];
  if (!Object.hasOwn(mapOf(outputs), output))
    throw unknown(located, [profile, 'outputs'], `target \`${output}\``, output, mapOf(outputs));
  const settings = Object.fromEntries(
    Object.entries(mapOf(mapOf(outputs)[output])).map(([key, value]) => [key, render(value, [...path, key])]),
  );
  return { type: String(settings.type), settings, located, path };
}

/** As dbt: the folder it is told, or the first that has the file. Its own working directory is the dbt project. */
function folderOf({ root, dbtFolder, env }: ProfileSources): string {
  if (env.DBT_PROFILES_DIR) return env.DBT_PROFILES_DIR;
  const home = join(env.HOME ?? homedir(), '.dbt');
  const folders = [...(dbtFolder === undefined ? [] : [dbtFolder]), root, home];
  return folders.find((folder) => existsSync(join(folder, fileName))) ?? home;
}

/** A profile may have a dot in its name. */
function partsOf(wanted: string, profiles: object): { profile: string; target: string | undefined } {
  const dot = wanted.lastIndexOf('.');
  if (dot < 0 || Object.hasOwn(profiles, wanted)) return { profile: wanted, target: undefined };
  return { profile: wanted.slice(0, dot), target: wanted.slice(dot + 1) };
}

function unknown(located: Located, path: Path, what: string, name: string, known: object): ReadbackError {
  return new ReadbackError('CONFIG_REFERENCE', `there is no ${what}`, {
    place: located.placeOf(path),
    hint: suggest(name, Object.keys(known)),
  });
}

/** A value with `{{ env_var('NAME') }}` filled in, as deep as it goes. */
function rendered(value: unknown, path: Path, located: Located, env: Environment): unknown {
  if (Array.isArray(value)) return value.map((item, at) => rendered(item, [...path, at], located, env));
  if (typeof value === 'object' && value !== null && !(value instanceof Secret))
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, rendered(item, [...path, key], located, env)]),
    );
  if (typeof value !== 'string') return value;
  const refuse = (message: string, hint: string) =>
    new ReadbackError('CONFIG_VALUE', message, { place: located.placeOf(path), hint });
  const alone = /^\s*\{\{([\s\S]*?)\}\}\s*$/.exec(value);
  if (alone) return variable(alone[1] ?? '', env, refuse);
  const expression = /\{\{([\s\S]*?)\}\}/g;
  if (/\{[{%#]/.test(value.replaceAll(expression, ''))) throw refuse(notUnderstood, supported);
  return value.replaceAll(expression, (_, inner: string) => String(variable(inner, env, refuse)));
}

const notUnderstood = 'of Jinja only env_var is understood here';
const supported =
  "write {{ env_var('NAME') }} or {{ env_var('NAME', 'default') }}, with | int or | as_bool behind it";

/** Never the value itself in a complaint: it may be a password. */
function variable(
  inner: string,
  env: Environment,
  refuse: (message: string, hint: string) => ReadbackError,
): unknown {
  const call = parseCall(inner);
  const [name, fallback, ...more] = call?.positional ?? [];
  if (call?.name !== 'env_var' || typeof name !== 'string' || more.length > 0 || call.named.size > 0)
    throw refuse(notUnderstood, supported);
  const value = env[name] ?? fallback;
  if (value === undefined)
    throw refuse(`the environment variable ${name} is not set`, `set it: export ${name}=…`);
  return call.filters.reduce<unknown>((filtered, filter) => {
    const apply = Object.hasOwn(filters, filter) ? filters[filter] : undefined;
    if (!apply) throw refuse(`the filter \`${filter}\` is not understood here`, supported);
    return apply(filtered);
  }, value);
}

const filters: Readonly<Record<string, (value: unknown) => unknown>> = {
  int: Number,
  as_number: Number,
  as_bool: (value) => /^true$/i.test(String(value)),
  as_text: String,
  string: String,
  trim: (value) => String(value).trim(),
};

function mapOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
