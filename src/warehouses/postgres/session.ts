import type pg from 'pg';
import { Deadline } from '../deadline.ts';
import { render, type Templates } from '../template.ts';
import type { ReadOptions } from '../warehouse.ts';
import { type FailureContext, failureOf, unreachable } from './failure.ts';
import { type Target, tlsOptions } from './target.ts';
import { exactTexts } from './values.ts';

/** A read-only transaction on a connection of its own. */
export interface Session {
  client: pg.PoolClient;
  /** Ends it; the connection is used again only when all went well. */
  end(failed: boolean): Promise<void>;
}

type Access = 'read only' | 'read write';

/** The connections to one database: at most `max` at a time, none of them kept for long. */
export class Sessions {
  readonly #target: Target;
  readonly #templates: Templates;
  readonly #max: number;
  readonly #authority: string | undefined;
  readonly #access: Access;
  #pool: Promise<pg.Pool> | undefined;
  #ssl: pg.ClientConfig['ssl'];
  readonly #cancels = new Set<Promise<void>>();

  constructor(
    target: Target,
    templates: Templates,
    max: number,
    authority: string | undefined,
    access: Access = 'read only',
  ) {
    this.#target = target;
    this.#templates = templates;
    this.#max = max;
    this.#authority = authority;
    this.#access = access;
  }

  get shown(): string {
    return this.#target.shown;
  }

  /** What a connection of one's own needs, outside the pool. */
  async config(): Promise<pg.ClientConfig> {
    this.#pool ??= this.#open();
    await this.#pool;
    return { ...this.#target.config, ssl: this.#ssl };
  }

  /** Begins a transaction that the server ends at the deadline, and that is cancelled there when the client stops. */
  async begin(deadline: Deadline): Promise<Session> {
    const client = await this.#connect(deadline);
    const lost = (): void => {};
    // The query in flight reports a lost connection too; without a listener it would end the process.
    client.on('error', lost);
    const end = async (failed: boolean) => {
      if (!failed) await client.query('commit').catch(() => (failed = true));
      client.off('error', lost);
      client.release(failed);
    };
    try {
      const timeoutMs = String(Math.max(1, Math.ceil(deadline.remainingMs)));
      const values = { timeout_ms: timeoutMs, access: this.#access };
      const begin = client.query(render(this.#templates, 'begin', values));
      const results = (await deadline.race(begin)) as unknown as pg.QueryResult<{ pid: string }>[];
      const pid = results.at(-1)?.rows[0]?.pid;
      deadline.onStop(() => this.#cancel(pid));
      return { client, end };
    } catch (error) {
      await end(true);
      throw error;
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#cancels);
    const pool = this.#pool;
    this.#pool = undefined;
    await (await pool?.catch(() => undefined))?.end();
  }

  async #connect(deadline: Deadline): Promise<pg.PoolClient> {
    this.#pool ??= this.#open();
    const opening = this.#pool;
    opening.catch(() => {
      if (this.#pool === opening) this.#pool = undefined;
    });
    try {
      const pool = await deadline.race(opening);
      const connecting = pool.connect();
      return await deadline.race(connecting).catch((error) => {
        // A connection that comes after the caller gave up goes back at once.
        connecting.then((client) => client.release(true)).catch(() => {});
        throw error;
      });
    } catch (error) {
      throw deadline.failure ?? unreachable(error, this.shown);
    }
  }

  async #open(): Promise<pg.Pool> {
    const { default: driver } = await import('pg');
    this.#ssl = await this.#tls(driver);
    const config = { ...this.#target.config, types: exactTexts, ssl: this.#ssl };
    // To the pool a connection timeout is also the longest wait for a free connection; only the deadline limits that.
    const Client = class extends driver.Client {
      constructor() {
        super(config);
      }
    };
    const limits = { max: this.#max, idleTimeoutMillis: 10_000, allowExitOnIdle: true };
    const pool = new driver.Pool({ Client, ...limits });
    pool.on('error', () => {});
    return pool;
  }

  /** `prefer` asks the server once whether it speaks TLS. */
  async #tls(driver: typeof pg): Promise<pg.ClientConfig['ssl']> {
    const { sslMode, config } = this.#target;
    const ssl = tlsOptions(sslMode, this.#authority);
    if (sslMode !== 'prefer') return ssl;
    const probe = new driver.Client({ ...config, ssl: ssl as object });
    probe.on('error', () => {});
    try {
      await probe.connect();
      return ssl as object;
    } catch (error) {
      if (/does not support SSL/.test(String(error))) return false;
      throw error;
    } finally {
      await probe.end().catch(() => {});
    }
  }

  /** On a connection of its own, not the pool's: that may have none left. */
  #cancel(pid: string | undefined): void {
    if (pid === undefined) return;
    const cancelling = this.#cancelBackend(pid)
      .catch(() => {})
      .finally(() => this.#cancels.delete(cancelling));
    this.#cancels.add(cancelling);
  }

  async #cancelBackend(pid: string): Promise<void> {
    const { default: driver } = await import('pg');
    const ssl = this.#ssl;
    const client = new driver.Client({ ...this.#target.config, ...(ssl !== undefined && { ssl }) });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query(render(this.#templates, 'cancel', {}), [pid]);
    } finally {
      await client.end().catch(() => {});
    }
  }
}

/** One piece of work in a session of its own. */
export async function inSession<T>(
  sessions: Sessions,
  options: ReadOptions,
  about: Pick<FailureContext, 'sql' | 'preparing'>,
  work: (session: Session, deadline: Deadline) => Promise<T>,
): Promise<T> {
  const deadline = new Deadline(options);
  let session: Session | undefined;
  let failed = true;
  try {
    session = await sessions.begin(deadline);
    const result = await work(session, deadline);
    failed = false;
    return result;
  } catch (error) {
    const context = { ...about, shown: sessions.shown, timeoutMs: options.timeoutMs };
    throw deadline.failure ?? failureOf(error, context);
  } finally {
    deadline.dispose();
    await session?.end(failed);
  }
}
