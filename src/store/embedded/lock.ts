import { randomUUID } from 'node:crypto';
import { link, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { embeddedFailure } from './failure.ts';

const heartbeatMs = 1_000;
/** A live holder touches its lock each second; process ids alone mislead, in containers they repeat at every start. */
const staleAfterMs = 15_000;
const deadlineMs = 120_000;

/**
 * Runs `fn` while holding the lock file: one process at a time starts, adopts or stops the server. What is done under
 * it stays safe without it (initdb is renamed into place, Postgres locks its own folder), so the last few
 * microseconds that breaking a dead holder's lock leaves open cost a retry, not data.
 */
export async function locked<Result>(path: string, fn: () => Promise<Result>): Promise<Result> {
  const token = `${process.pid} ${randomUUID()}`;
  const deadline = Date.now() + deadlineMs;
  while (!(await take(path, token))) {
    if (Date.now() > deadline) {
      throw embeddedFailure('is being started by another process that does not finish', `Remove ${path}.`);
    }
    await breakIfStale(path);
    await pause(20);
  }
  const heartbeat = setInterval(() => utimes(path, new Date(), new Date()).catch(() => {}), heartbeatMs);
  heartbeat.unref();
  try {
    return await fn();
  } finally {
    clearInterval(heartbeat);
    if ((await contents(path)) === token) await unlink(path).catch(() => {});
  }
}

async function take(path: string, token: string): Promise<boolean> {
  try {
    await writeFile(path, token, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw embeddedFailure(`cannot write ${path}: ${(error as Error).message}`, undefined, error);
  }
}

async function breakIfStale(path: string): Promise<void> {
  const token = await contents(path);
  if (token === undefined) return;
  const touched = await stat(path).catch(() => undefined);
  if (!touched) return;
  const silentMs = Date.now() - touched.mtimeMs;
  // An empty file is one that its holder has just created and not yet written.
  if (silentMs < staleAfterMs && (token === '' || isAlive(Number.parseInt(token, 10)))) return;
  const aside = `${path}.${randomUUID()}`;
  await rename(path, aside).catch(() => {});
  // Somebody else broke it first and holds a new one: give that back.
  if ((await contents(aside)) !== token) await link(aside, path).catch(() => {});
  await unlink(aside).catch(() => {});
}

function contents(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

/** Whether a process with this id exists, also one of another user. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
