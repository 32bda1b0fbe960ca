import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, chown, cp, lstat, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { type Binaries, linkLibraries, program } from './binaries.ts';
import { embeddedFailure } from './failure.ts';
import type { Files } from './files.ts';

/** Who the server runs as: Postgres refuses root, and initdb refuses a user id without a name. */
export interface Account {
  name: string;
  /** Put before every command. */
  prefix: string[];
  /** Given to spawn when the process itself must change user. */
  user: { uid: number; gid: number } | undefined;
  files: Files;
  binaries: Binaries;
}

/** Finds an account that can run the server on these files, preparing what it needs. */
export async function findAccount(files: Files, binaries: Binaries): Promise<Account> {
  const base: Account = { name: 'this user', prefix: [], user: undefined, files, binaries };
  const uid = process.getuid?.();
  if (uid === undefined || (uid !== 0 && hasName())) return base;
  const nobody = await findUnprivileged();
  // A user namespace needs no change to any file and works under a 0700 home. The id must have a name in /etc/passwd.
  const prefix = ['unshare', '--user', `--map-user=${nobody.uid}`, `--map-group=${nobody.gid}`, '--'];
  const mapped = { ...base, name: 'a user namespace', prefix };
  if (await canRun(mapped)) return own(mapped, uid);
  if (uid === 0) {
    const other = await handOver({ ...base, name: 'another user', user: nobody });
    if (await canRun(other)) return own(other, nobody.uid);
  }
  throw embeddedFailure(
    `cannot run as ${uid === 0 ? 'root' : `user id ${uid}, which has no name`}, and neither a user namespace nor another user works here`,
    'Run Readback as an ordinary user.',
  );
}

/** Settles once the process has ended: its exit code and what it printed. */
export function run(
  account: Account,
  command: string,
  args: string[],
): Promise<{ code: number; output: string }> {
  const [file, ...rest] = [...account.prefix, command, ...args];
  return new Promise((resolve) => {
    const child = spawn(file as string, rest, {
      ...spawnOptions(account),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout?.on('data', (chunk) => (output += chunk));
    child.stderr?.on('data', (chunk) => (output += chunk));
    child.on('error', (error) => resolve({ code: -1, output: error.message }));
    child.on('close', (code) => resolve({ code: code ?? -1, output: output.trim() }));
  });
}

/** The server inherits next to nothing: no secrets of ours, and no PG* variable that would change what it does. */
export function spawnOptions(account: Account) {
  const kept = ['PATH', 'TZ', 'TMPDIR', 'SystemRoot', 'TEMP', 'TMP'];
  const inherited = kept.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []));
  return {
    ...account.user,
    cwd: '/',
    env: {
      ...Object.fromEntries(inherited),
      ...account.binaries.environment,
      LC_ALL: 'C',
    } as NodeJS.ProcessEnv,
  };
}

async function canRun(account: Account): Promise<boolean> {
  const { files, binaries } = account;
  const test = 'test -x "$0" && test -r "$1" && test -x "$2"';
  const paths = [program(binaries, 'postgres'), join(binaries.native, 'share'), dirname(files.data)];
  return (await run(account, 'sh', ['-c', test, ...paths])).code === 0;
}

/**
 * Root gives the data to another user. What that user cannot reach (a project or npm cache under /root) is kept in
 * /var/lib/readback instead.
 */
async function handOver(account: Account): Promise<Account> {
  const { files, binaries } = account;
  await chmod(files.folder, 0o711);
  if (await canRun(account)) return account;
  const home = '/var/lib/readback';
  const id = createHash('sha256').update(files.folder).digest('hex').slice(0, 12);
  const folder = join(home, id);
  const native = join(home, `postgres-${binaries.major}`, 'native');
  await mkdir(folder, { recursive: true, mode: 0o711 });
  await copyOnce(binaries.native, native);
  return {
    ...account,
    files: { ...files, data: join(folder, 'data') },
    binaries: { ...binaries, native, environment: await linkLibraries(native, join(home, 'lib')) },
  };
}

async function copyOnce(from: string, to: string): Promise<void> {
  if (await lstat(to).catch(() => undefined)) return;
  const partial = `${to}.${process.pid}`;
  await cp(from, partial, { recursive: true, verbatimSymlinks: true });
  await rename(partial, to).catch(() => rm(partial, { recursive: true, force: true }));
}

/** Data made by another account (root with and without namespaces, sudo) is taken over when we may. */
async function own(account: Account, uid: number): Promise<Account> {
  const owner = await lstat(account.files.data).catch(() => undefined);
  if (owner && owner.uid !== uid && process.getuid?.() === 0) {
    await chownAll(account.files.data, uid, account.user?.gid ?? 0);
  }
  return account;
}

async function chownAll(folder: string, uid: number, gid: number): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true })) await chown(join(folder, entry), uid, gid);
  await chown(folder, uid, gid);
}

function hasName(): boolean {
  try {
    userInfo();
    return true;
  } catch {
    return false;
  }
}

/** `postgres` or `nobody`, else any named user but root. */
async function findUnprivileged(): Promise<{ uid: number; gid: number }> {
  const lines = (await readFile('/etc/passwd', 'utf8').catch(() => ''))
    .split('\n')
    .map((line) => line.split(':'));
  const users = lines.flatMap(([name = '', , uid, gid]) =>
    Number(uid) > 0 ? [{ name, uid: Number(uid), gid: Number(gid) }] : [],
  );
  const user =
    ['postgres', 'nobody'].map((name) => users.find((u) => u.name === name)).find(Boolean) ?? users[0];
  return user ? { uid: user.uid, gid: user.gid } : { uid: 65_534, gid: 65_534 };
}
