import { createHash } from 'node:crypto';
import { statfs } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { openPool } from '../../src/store/database.ts';
import { type Embedded, startEmbedded } from '../../src/store/embedded/index.ts';
import type { Log } from '../../src/store/log.ts';
import { migrate, readMigrations } from '../../src/store/migrate.ts';
import { sqlFolder } from '../../src/store/queries.ts';

export const quiet: Log = { info() {}, warn() {} };

export interface TestDatabase {
  url: string;
  pool: pg.Pool;
  drop(): Promise<void>;
}

interface Shared {
  server: Embedded;
  admin: pg.Pool;
}

let shared: Promise<Shared> | undefined;
let template: Promise<string> | undefined;
const drops = new Set<() => Promise<void>>();
let count = 0;

/**
 * A database of its own with the ledger's schema, copied from a template that is migrated once. It goes with
 * `drop()`, or when the process ends: not when a test ends, because node:test runs `t.after` hooks oldest first, and
 * those of the caller still need it.
 */
export async function freshDatabase(): Promise<TestDatabase> {
  template ??= makeTemplate();
  return create(await template);
}

/** The same without any schema, for what plays the warehouse. */
export function emptyDatabase(): Promise<TestDatabase> {
  return create('template1');
}

async function create(from: string): Promise<TestDatabase> {
  const { server, admin } = await sharedServer();
  const name = `test_${process.pid}_${++count}`;
  await admin.query(`create database ${name} template ${from}`);
  const url = urlOf(server, name);
  const pool = openPool(url, { log: quiet });
  // Idle connections must not keep a finished test file from ending.
  pool.options.allowExitOnIdle = true;
  const drop = async () => {
    drops.delete(drop);
    // Dropping ends the sessions of whoever forgot to give a client back, who would block the pool's end for ever.
    if (!pool.ending) pool.end().catch(() => {});
    await admin.query(`drop database if exists ${name} with (force)`);
  };
  drops.add(drop);
  return { url, pool, drop };
}

/** One server for all test files of this checkout: the first process starts it, the last one out stops it. */
function sharedServer(): Promise<Shared> {
  shared ??= startShared();
  return shared;
}

async function startShared(): Promise<Shared> {
  const checkout = createHash('sha256').update(fileURLToPath(new URL('../..', import.meta.url)));
  const dataDir = join(
    await fastFolder(),
    `readback-test-${userInfo().uid}-${checkout.digest('hex').slice(0, 8)}`,
  );
  // Nothing here must survive a power cut.
  const settings = {
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    max_connections: '300',
    // For what follows a publication.
    wal_level: 'logical',
  };
  const server = await startEmbedded({ dataDir, log: quiet, settings });
  const admin = new pg.Pool({ connectionString: server.url, max: 2, allowExitOnIdle: true });
  admin.on('error', () => {});
  if (!server.adopted) await dropLeftovers(admin);
  process.once('beforeExit', async () => {
    await Promise.all([...drops].map((drop) => drop()));
    await admin.end();
    await server.release();
  });
  return { server, admin };
}

/** Memory where there is plenty: a copy of the template took 10 ms in /dev/shm and 25 to 300 ms on disk. */
export async function fastFolder(): Promise<string> {
  const memory = await statfs('/dev/shm').catch(() => undefined);
  return memory && memory.bavail * memory.bsize > 2 ** 31 ? '/dev/shm' : tmpdir();
}

/** What killed runs left behind; nobody else is on the server yet that could miss it. */
async function dropLeftovers(admin: pg.Pool): Promise<void> {
  const kept = await templateName();
  const { rows } = await admin.query<{ datname: string }>(
    `select datname from pg_database where datname ~ '^(test_|template_)' and datname <> $1`,
    [kept],
  );
  for (const { datname } of rows) await admin.query(`drop database if exists "${datname}" with (force)`);
}

async function makeTemplate(): Promise<string> {
  const { server, admin } = await sharedServer();
  const name = await templateName();
  const client = await admin.connect();
  try {
    await client.query(`select pg_advisory_lock(hashtext('template'))`);
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
    if (rowCount === 0) {
      // Renamed when complete: a process killed in the middle leaves no half-migrated template behind.
      await client.query('drop database if exists template_partial with (force)');
      await client.query('create database template_partial template template1');
      const pool = openPool(urlOf(server, 'template_partial'), { log: quiet, size: 1 });
      await migrate(pool).finally(() => pool.end());
      await client.query(`alter database template_partial rename to ${name}`);
    }
    return name;
  } finally {
    client.release(true);
  }
}

async function templateName(): Promise<string> {
  const hash = createHash('sha256');
  for (const { checksum } of await readMigrations(join(sqlFolder, 'migrations'))) hash.update(checksum);
  return `template_${hash.digest('hex').slice(0, 12)}`;
}

function urlOf(server: Embedded, database: string): string {
  const url = new URL(server.url);
  url.pathname = `/${database}`;
  return url.href;
}
