import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive } from './lock.ts';

/** What a running server says of itself in `postmaster.pid`. */
export interface Postmaster {
  pid: number;
  port: number;
}

/** The server that `postmaster.pid` names, if that process is alive and really is one of this folder. */
export async function findPostmaster(data: string): Promise<Postmaster | undefined> {
  const lines = await pidFile(data);
  if (!lines) return undefined;
  const pid = Number(lines[0]);
  if (!serves(pid, data)) return undefined;
  return { pid, port: Number(lines[3]) };
}

/**
 * Postgres will not start while the pid in a left-over `postmaster.pid` belongs to any live process, and after a
 * container restart it usually does. It makes an exception for its own parent, which we are about to be. The rest of
 * the file stays: from it Postgres knows whether old backends still use the shared memory.
 */
export async function disarmStalePid(data: string): Promise<void> {
  const lines = await pidFile(data);
  if (!lines) return;
  lines[0] = String(process.pid);
  await writeFile(join(data, 'postmaster.pid'), lines.join('\n')).catch(() => {});
}

async function pidFile(data: string): Promise<string[] | undefined> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => undefined);
  return text?.split('\n');
}

/** Process ids are used again; the command line tells whether this one still is the server of this folder. */
export function serves(pid: number, data: string): boolean {
  if (!isAlive(pid)) return false;
  // Windows has no cheap answer; a refused connection will tell.
  if (process.platform === 'win32') return true;
  try {
    const command =
      process.platform === 'linux'
        ? readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        : execFileSync('ps', ['-p', String(pid), '-o', 'command='], { encoding: 'utf8' });
    return command.includes(data);
  } catch {
    return false;
  }
}
