import { mkdir, realpath } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import type { Log } from '../log.ts';
import { queries } from '../queries.ts';
import { type Account, findAccount } from './account.ts';
import { findBinaries } from './binaries.ts';
import { prepareCluster } from './cluster.ts';
import { embeddedFailure } from './failure.ts';
import { filesIn } from './files.ts';
import { locked } from './lock.ts';
import { findPostmaster, type Postmaster } from './postmaster.ts';
import { connect, connectionUrl, deadlineMs, startServer, stopServer } from './server.ts';

export interface EmbeddedOptions {
  /** `<project>/.readback`; made when it is not there. */
  dataDir: string;
  log: Log;
  /** Server settings over ours; they count only for whoever starts the server. */
  settings?: Record<string, string> | undefined;
  /** Another copy of the server's programs. */
  native?: string | undefined;
}

export interface Embedded {
  /** Holds the password: never log it. */
  url: string;
  /** Whether another process had started it. */
  adopted: boolean;
  /** Process id of the server. */
  pid(): number;
  /** Leaves the server; the last one out stops it. */
  release(): Promise<void>;
}

/** pg has both; its types do not. */
type Presence = pg.Client & { ref(): void; unref(): void };

/** The server as one process holds it: `presence` is the connection by which others know that it is in use. */
interface Held {
  presence: Presence;
  postmaster: Postmaster;
  url: string;
  adopted: boolean;
}

/**
 * The embedded Postgres server of a project, shared by all processes that work on it: the first starts it, others adopt
 * it, the last one out stops it. It outlives a killed process and is adopted by the next one. If the server itself
 * dies, whoever holds it starts it again on the same port.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  const files = filesIn(await realpath(options.dataDir));
  const account = await findAccount(files, await findBinaries(files, options.native));
  const attach = () => locked(files.lock, () => hold(account, options));
  let held = await attach();
  let attaching: Promise<void> | undefined;
  let released = false;

  const watch = () => {
    // An idle connection must not keep the process from ending.
    held.presence.unref();
    held.presence.once('end', () => {
      if (!released) attaching = reattach();
    });
  };
  const reattach = async () => {
    options.log.warn({ log: files.log }, 'the embedded ledger database stopped; starting it again');
    try {
      held = await attach();
      watch();
    } catch (error) {
      options.log.warn(
        { error: (error as Error).message },
        'the embedded ledger database did not start again',
      );
    }
  };
  watch();
  return {
    url: held.url,
    adopted: held.adopted,
    pid: () => held.postmaster.pid,
    async release() {
      if (released) return;
      released = true;
      await attaching;
      held.presence.ref();
      await locked(files.lock, () => leave(account, held, options.log)).catch((error: Error) => {
        options.log.warn({ error: error.message }, 'could not leave the embedded ledger database in order');
      });
      await held.presence.end().catch(() => {});
    },
  };
}

/** Adopts the running server or starts one. */
async function hold(account: Account, options: EmbeddedOptions): Promise<Held> {
  const password = await prepareCluster(account);
  const deadline = Date.now() + deadlineMs;
  let adopted = true;
  while (Date.now() < deadline) {
    let postmaster = await findPostmaster(account.files.data);
    if (!postmaster) {
      postmaster = await startServer(account, password, options.settings ?? {});
      adopted = false;
      options.log.info({ pid: postmaster.pid, as: account.name }, 'started the embedded ledger database');
    }
    const url = connectionUrl(password, postmaster.port);
    const presence = (await connect(url, 'presence')) as Presence | undefined;
    if (presence) return { presence, postmaster, url, adopted };
    // It is starting or stopping: look again.
    await pause(20);
  }
  throw embeddedFailure('runs but does not answer', `See ${account.files.log}.`);
}

async function leave(account: Account, { presence, postmaster }: Held, log: Log): Promise<void> {
  const store = queries('store');
  const row = await store.one<{ others: number }>(presence, 'others_present');
  await store.run(presence, 'leave');
  if (row?.others === 0 && !(await stopServer(account, postmaster))) {
    log.warn(
      { pid: postmaster.pid },
      'the embedded ledger database did not stop in time; it was left running',
    );
  }
}
