import { randomBytes } from 'node:crypto';
import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Account, run } from './account.ts';
import { program } from './binaries.ts';
import { embeddedFailure } from './failure.ts';

/** The one role of the embedded server. */
export const role = 'readback';

/** Makes the data folder on first use and checks on later ones that this server can open it. Returns the password. */
export async function prepareCluster(account: Account): Promise<string> {
  const { files, binaries } = account;
  const version = await readFile(join(files.data, 'PG_VERSION'), 'utf8').catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw embeddedFailure(
        `cannot read ${files.data}: ${error.message}`,
        'Does it belong to another user?',
        error,
      );
    },
  );
  if (version === undefined) return createCluster(account);
  if (Number(version) !== binaries.major) {
    throw embeddedFailure(
      `in ${files.data} was made by PostgreSQL ${version.trim()}, and this Readback brings ${binaries.major}`,
      `Install the Readback that made it, or move the folder away to start a new ledger.`,
    );
  }
  return readFile(files.password, 'utf8').catch((error) => {
    throw embeddedFailure(
      `cannot be opened without its password file ${files.password}`,
      `Restore that file, or move ${files.data} away to start a new ledger.`,
      error,
    );
  });
}

/**
 * Runs initdb beside the final place and renames, so that an interrupted one is never taken for a database. It is
 * synced: 0.57 s with, 0.64 s without on the machine it was measured on, so leaving it out would gain nothing.
 */
async function createCluster(account: Account): Promise<string> {
  const { files, user } = account;
  const password = randomBytes(24).toString('base64url');
  await writeFile(files.password, password, { mode: 0o600 });
  const partial = `${files.data}.${process.pid}`;
  const passwordCopy = `${partial}.password`;
  try {
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { mode: 0o700 });
    await writeFile(passwordCopy, password, { mode: 0o600 });
    // The account may be one that cannot read our own password file.
    if (user) for (const path of [partial, passwordCopy]) await chown(path, user.uid, user.gid);
    const { code, output } = await run(account, program(account.binaries, 'initdb'), [
      `--pgdata=${partial}`,
      `--username=${role}`,
      `--pwfile=${passwordCopy}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // Sorts by code point, the same on every machine and for ever: ICU and libc change order between versions.
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--locale=C',
    ]);
    if (code !== 0) throw embeddedFailure(`could not be created: ${output}`);
    await rename(partial, files.data);
    return password;
  } finally {
    await rm(partial, { recursive: true, force: true });
    await rm(passwordCopy, { force: true });
  }
}
