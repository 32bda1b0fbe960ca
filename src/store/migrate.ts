import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { ReadbackError } from '../errors.ts';
import { queries, sqlFolder } from './queries.ts';

export interface Migration {
  version: number;
  checksum: string;
  sql: string;
}

interface Applied {
  version: number;
  checksum: string;
}

const store = queries('store');

/**
 * Brings the ledger's schema up to date, forward only, each migration in its own transaction. Several processes may
 * call it at once: one migrates, the others wait. Returns the versions it applied.
 */
export async function migrate(
  pool: pg.Pool,
  folder: string = join(sqlFolder, 'migrations'),
): Promise<number[]> {
  const migrations = await readMigrations(folder);
  const client = await pool.connect();
  let failure: Error | undefined;
  try {
    if (await isUpToDate(client, migrations)) return [];
    await store.run(client, 'lock_migrations');
    const done = await applyMissing(client, migrations);
    await store.run(client, 'unlock_migrations');
    return done;
  } catch (error) {
    failure = error as Error;
    throw error;
  } finally {
    // Destroying the connection ends a transaction left open and gives the lock back.
    client.release(failure);
  }
}

/** The migrations in a folder, oldest first, checked to be numbered 1, 2, 3, … without a gap. */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort();
  return Promise.all(
    files.map(async (file, index) => {
      const expected = `${String(index + 1).padStart(6, '0')}.sql`;
      if (file !== expected) throw new Error(`sql/migrations: found ${file} where ${expected} was expected`);
      // A checkout on Windows may turn line ends around; that is not a change.
      const sql = (await readFile(join(folder, file), 'utf8')).replaceAll('\r\n', '\n');
      return { version: index + 1, checksum: createHash('sha256').update(sql).digest('hex'), sql };
    }),
  );
}

/** Most starts find nothing to do; they should not queue for the lock. */
async function isUpToDate(client: pg.PoolClient, migrations: Migration[]): Promise<boolean> {
  const [row] = await store.run<{ found: boolean }>(client, 'find_migrations');
  return row?.found === true && (await missing(client, migrations)).length === 0;
}

async function applyMissing(client: pg.PoolClient, migrations: Migration[]): Promise<number[]> {
  await store.run(client, 'create_schema');
  await store.run(client, 'create_migrations');
  const todo = await missing(client, migrations);
  for (const migration of todo) {
    await client.query('begin');
    try {
      await client.query('set local search_path = readback, public');
      await client.query(migration.sql);
      await store.run(client, 'record_migration', {
        version: migration.version,
        checksum: migration.checksum,
      });
      await client.query('commit');
    } catch (error) {
      throw refused(migration, error as Error);
    }
  }
  return todo.map((migration) => migration.version);
}

async function missing(client: pg.PoolClient, migrations: Migration[]): Promise<Migration[]> {
  const applied = await store.run<Applied>(client, 'applied_migrations');
  const newest = applied.at(-1)?.version ?? 0;
  if (newest > migrations.length) {
    throw new ReadbackError(
      'LEDGER_VERSION',
      `The ledger was migrated by a newer Readback (its schema is version ${newest}, this one knows ${migrations.length})`,
      { hint: 'Install that version or a later one; nothing was changed.' },
    );
  }
  for (const { version, checksum } of applied) {
    if (migrations[version - 1]?.checksum === checksum) continue;
    throw new ReadbackError(
      'LEDGER_VERSION',
      `Migration ${version} is not the one this ledger was made with`,
      {
        hint: 'Restore the original sql/migrations file; what changed belongs in a new, higher numbered one.',
      },
    );
  }
  return migrations.slice(newest);
}

function refused(migration: Migration, error: Error): ReadbackError {
  const reason = `Migration ${migration.version} failed: ${error.message}`;
  return new ReadbackError('LEDGER_UNREACHABLE', reason, {
    hint: 'It was rolled back; the ledger is as it was. The role needs the right to create objects in the schema "readback".',
    cause: error,
  });
}
