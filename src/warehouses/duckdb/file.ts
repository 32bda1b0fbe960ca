import { setTimeout as sleep } from 'node:timers/promises';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { ReadbackError } from '../../errors.ts';
import type { Deadline } from '../deadline.ts';
import { messageOf } from './failure.ts';
import { instanceOptions, sessionSettings } from './hardening.ts';
import { installMotherDuck, isMotherDuck, motherDuckPath, refusedByMotherDuck } from './motherduck.ts';
import type { Settings } from './settings.ts';

/** How often a file that a writer holds is tried again. */
const retryMs = 50;

/** A connection for one operation. */
export interface Lease {
  connection: DuckDBConnection;
  release(): void;
}

/** An open instance and how many operations use it. */
interface Shared {
  opening: Promise<DuckDBInstance>;
  users: number;
}

/**
 * The database file, open only while an operation needs it: a reader blocks every writer. Operations that overlap share
 * one instance, because POSIX drops a process's lock on a file with the first handle that it closes.
 */
export class DatabaseFile {
  readonly #settings: Settings;
  #shared: Shared | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Waits for a writer that holds the file until the deadline. */
  async lease(deadline: Deadline): Promise<Lease> {
    const { path } = this.#settings;
    for (;;) {
      deadline.check();
      try {
        return await this.#connect();
      } catch (error) {
        if (error instanceof ReadbackError) throw error;
        if (!isLocked(error)) throw unreachable(this.#settings, error);
        if (deadline.remainingMs <= retryMs) throw locked(path, error);
      }
      await sleep(retryMs);
    }
  }

  async #connect(): Promise<Lease> {
    this.#shared ??= { opening: openInstance(this.#settings), users: 0 };
    const shared = this.#shared;
    shared.users += 1;
    const instance = await shared.opening.catch((error) => {
      this.#forget(shared);
      throw error;
    });
    try {
      const connection = await instance.connect();
      const release = once(() => {
        connection.closeSync();
        this.#leave(shared, instance);
      });
      return { connection, release };
    } catch (error) {
      this.#leave(shared, instance);
      throw error;
    }
  }

  #leave(shared: Shared, instance: DuckDBInstance): void {
    shared.users -= 1;
    if (shared.users > 0) return;
    this.#forget(shared);
    instance.closeSync();
  }

  #forget(shared: Shared): void {
    if (this.#shared === shared) this.#shared = undefined;
  }
}

async function openInstance(settings: Settings): Promise<DuckDBInstance> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const { path, external_access: external } = settings;
  const remote = isMotherDuck(path);
  if (remote) await installMotherDuck();
  const opened = remote ? motherDuckPath(path, external) : path;
  const instance = await DuckDBInstance.create(opened, instanceOptions(settings));
  try {
    const connection = await instance.connect();
    for (const statement of sessionSettings(settings)) await connection.run(statement);
    connection.closeSync();
    return instance;
  } catch (error) {
    instance.closeSync();
    throw error;
  }
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (!done) action();
    done = true;
  };
}

function isLocked(error: unknown): boolean {
  return /could not set lock|conflicting lock|being used by another process/i.test(messageOf(error));
}

function locked(path: string, cause: unknown): ReadbackError {
  const holder = /\(PID (\d+)\)/i.exec(messageOf(cause))?.[1];
  return new ReadbackError(
    'WAREHOUSE_UNREACHABLE',
    `${path} was held by a writer until the deadline${holder ? ` (process ${holder})` : ''}`,
    { hint: 'let the writer close the file between its writes, or give readback a copy of it', cause },
  );
}

function unreachable({ path, token }: Settings, cause: unknown): ReadbackError {
  if (token !== undefined) return refusedByMotherDuck(path, token.reveal(), cause);
  const message = messageOf(cause);
  const absent = /does not exist/i.test(message);
  return new ReadbackError('WAREHOUSE_UNREACHABLE', absent ? `${path} does not exist` : message, {
    hint: absent
      ? 'check `path`; it is relative to the project'
      : 'check that the file is a DuckDB database this account may read',
    cause,
  });
}
