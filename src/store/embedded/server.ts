import { spawn } from 'node:child_process';
import { open, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { type Account, run, spawnOptions } from './account.ts';
import { program } from './binaries.ts';
import { role } from './cluster.ts';
import { embeddedFailure } from './failure.ts';
import { disarmStalePid, findPostmaster, type Postmaster, serves } from './postmaster.ts';

/** Crash recovery replays at most `max_wal_size` (1 GB) of log, which takes seconds. */
export const deadlineMs = 60_000;

/** Small enough for a laptop. Durability (fsync, synchronous_commit) stays at Postgres' own safe defaults. */
const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '100',
  shared_buffers: '128MB',
  work_mem: '16MB',
  maintenance_work_mem: '64MB',
  random_page_cost: '1.1',
  // The package has no LLVM.
  jit: 'off',
  // Error texts and statements hold users' values. Starts, stops and crashes are enough for this log.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_checkpoints: 'off',
};

/** Starts the server on these files. Call it only under the lock and when none runs. */
export async function startServer(
  account: Account,
  password: string,
  overrides: Record<string, string>,
): Promise<Postmaster> {
  const deadline = Date.now() + deadlineMs;
  let port = await preferredPort(account.files.port);
  while (Date.now() < deadline) {
    await disarmStalePid(account.files.data);
    const problem = await tryStart(account, password, { ...settings, ...overrides, port: String(port) });
    if (problem === undefined) {
      await writeFile(account.files.port, String(port));
      const postmaster = await findPostmaster(account.files.data);
      if (postmaster) return postmaster;
    } else if (/could not (bind|create any TCP)/.test(problem)) {
      port = await freePort();
    } else if (/pre-existing shared memory block/.test(problem)) {
      // A backend of a killed server is still busy; it ends when it next looks up.
      await pause(200);
    } else {
      throw embeddedFailure(`did not start: ${problem}`, `See ${account.files.log}.`);
    }
  }
  throw embeddedFailure('did not start in time', `See ${account.files.log}.`);
}

/** Resolves to why the server ended, or to nothing once it answers. */
async function tryStart(
  account: Account,
  password: string,
  chosen: Record<string, string> & { port: string },
): Promise<string | undefined> {
  const args = Object.entries(chosen).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const command = [
    ...account.prefix,
    program(account.binaries, 'postgres'),
    '-D',
    account.files.data,
    ...args,
  ];
  // Truncating at each start keeps the log bounded.
  const log = await open(account.files.log, 'w', 0o600);
  let ended: string | undefined;
  try {
    const child = spawn(command[0] as string, command.slice(1), {
      ...spawnOptions(account),
      // Its own session: Ctrl-C in the terminal is for us, and the server outlives us if we are killed.
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    child.unref();
    child.on('error', (error) => (ended = error.message));
    child.on('exit', () => (ended ??= ''));
  } finally {
    await log.close();
  }
  const deadline = Date.now() + deadlineMs;
  while (ended === undefined && Date.now() < deadline) {
    const client = await connect(connectionUrl(password, Number(chosen.port)), 'starting');
    if (client instanceof pg.Client) {
      await client.end();
      return undefined;
    }
    await pause(10);
  }
  return ended || lastLines(await readFile(account.files.log, 'utf8'));
}

/** A connection, or nothing while the server is not (yet, any longer) there. Other failures throw. */
export async function connect(url: string, purpose: string): Promise<pg.Client | undefined> {
  const client = new pg.Client({
    connectionString: url,
    application_name: `readback ${purpose} ${process.pid}`,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    return client;
  } catch (error) {
    const code = (error as { code?: string }).code ?? '';
    await client.end().catch(() => {});
    // 57P0x: starting up, shutting down, being killed. 53300: all connections taken. 08: cut while connecting.
    if (/^(57P0.|08...|ECONN\w+|EPIPE)$/.test(code) || code === '') return undefined;
    throw embeddedFailure(`does not let us in: ${(error as Error).message}`, undefined, error);
  }
}

export function connectionUrl(password: string, port: number): string {
  return `postgres://${role}:${password}@127.0.0.1:${port}/postgres?sslmode=disable`;
}

/** Fast shutdown: ends sessions, writes a checkpoint. Resolves once the server is gone. */
export async function stopServer(account: Account, { pid }: Postmaster): Promise<boolean> {
  if (process.platform === 'win32') {
    const stop = ['stop', '-D', account.files.data, '-m', 'fast'];
    return (await run(account, program(account.binaries, 'pg_ctl'), stop)).code === 0;
  }
  process.kill(pid, 'SIGINT');
  const deadline = Date.now() + deadlineMs;
  while (serves(pid, account.files.data)) {
    if (Date.now() > deadline) return false;
    await pause(10);
  }
  return true;
}

/** The same port as last time if it is free, so that pools of processes that outlive a crash find the server again. */
async function preferredPort(file: string): Promise<number> {
  const last = Number(await readFile(file, 'utf8').catch(() => '0'));
  return (await freePort(last).catch(() => undefined)) ?? freePort();
}

function freePort(port = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

function lastLines(log: string): string {
  return log.trim().split('\n').slice(-5).join('\n');
}
