import type pg from 'pg';
import { ReadbackError } from '../../errors.ts';
import { Deadline } from '../deadline.ts';
import { render, type Templates } from '../template.ts';
import type { ReadOptions } from '../warehouse.ts';
import { cancelQuery } from './cancel.ts';
import { type FailureContext, failureOf, unreachable } from './failure.ts';
import { flavourOf, flavours } from './flavours.ts';
import { openPool } from './pool.ts';
import type { Target } from './target.ts';

/** A read-only transaction on a connection of its own. */
export interface Session {
  client: pg.PoolClient;
  /** Ends it; the connection is used again only when all went well. */
  end(failed: boolean): void;
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
    const release = (failed: boolean) => {
      client.off('error', lost);
      client.release(failed);
    };
    // Nobody need wait until what only read has ended.
    const end = (failed: boolean) => {
      if (failed) release(true);
      else
        client.query('commit').then(
          () => release(false),
          () => release(true),
        );
    };
    try {
      const timeoutMs = String(Math.max(1, Math.ceil(deadline.remainingMs)));
      const values = { timeout_ms: timeoutMs, access: this.#access };
      await deadline.race(client.query(render(this.#templates, 'begin', values)));
      deadline.onStop(() => this.#cancel(client));
      return { client, end };
    } catch (error) {
      end(true);
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
    const { pool, ssl } = await openPool(this.#target, this.#max, this.#authority);
    this.#ssl = ssl;
    try {
      const { rows } = await pool.query<{ version: string }>(render(this.#templates, 'version', {}));
      this.#recognise(rows[0]?.version ?? '');
      return pool;
    } catch (error) {
      await pool.end();
      throw error;
    }
  }

  /** The SQL of one flavour is not that of another: the wrong one would fail later, or find other digests. */
  #recognise(version: string): void {
    const found = flavourOf(version);
    if (found === this.#target.flavour) return;
    const { label } = flavours[found];
    throw new ReadbackError(
      'WAREHOUSE_UNREACHABLE',
      `${this.shown} is ${label}, not ${flavours[this.#target.flavour].label}`,
      { hint: `write \`flavour: ${found}\`` },
    );
  }

  #cancel(client: pg.ClientBase): void {
    const config = { ...this.#target.config, ...(this.#ssl !== undefined && { ssl: this.#ssl }) };
    const cancelling = cancelQuery(client, config)
      .catch(() => {})
      .finally(() => this.#cancels.delete(cancelling));
    this.#cancels.add(cancelling);
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
    session?.end(failed);
  }
}
