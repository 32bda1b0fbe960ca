import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMotherDuck } from './motherduck.ts';
import type { Settings } from './settings.ts';

/**
 * What DuckDB is opened with. Nothing may be installed, and without `external_access` no other file or address can be
 * read. Errors come as JSON, with the place of the fault.
 */
export function instanceOptions(settings: Settings): Record<string, string> {
  return {
    // An in-memory database has nothing to protect, and DuckDB refuses to open it read-only.
    ...(settings.path === ':memory:' ? {} : { access_mode: 'READ_ONLY' }),
    memory_limit: settings.memory_limit,
    threads: String(settings.threads),
    temp_directory: settings.temp_directory ?? join(tmpdir(), `readback-duckdb-${process.pid}`),
    // Attaching is access too; it is taken away right after.
    enable_external_access: String(settings.external_access || attaches(settings)),
    autoinstall_known_extensions: 'false',
    allow_community_extensions: 'false',
    allow_persistent_secrets: 'false',
    errors_as_json: 'true',
    // Here and not in the path, which errors quote.
    ...(settings.token && { motherduck_token: settings.token.reveal() }),
  };
}

function attaches({ path, scratch_path: scratch }: Settings): boolean {
  return scratch !== undefined || isMotherDuck(path);
}

/** How the scratch file is called in SQL. The other is the one that the signals name, and stays read-only. */
export const scratchName = 'readback_scratch';

/** Texts of times are in UTC wherever this runs; then no SQL can change any setting. */
export function sessionSettings({
  path,
  scratch_path: scratch,
  external_access: external,
}: Settings): string[] {
  return [
    ...(scratch === undefined
      ? []
      : [`attach '${scratch.replaceAll("'", "''")}' as ${scratchName} (READ_WRITE)`]),
    // There MotherDuck's own mode keeps SQL from this machine, and the extension needs its access.
    ...(external || isMotherDuck(path) ? [] : ['set enable_external_access = false']),
    "set global TimeZone = 'UTC'",
    'set lock_configuration = true',
  ];
}
