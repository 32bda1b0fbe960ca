import type pg from 'pg';
import { ReadbackError } from '../../errors.ts';
import { openPool } from '../../warehouses/postgres/pool.ts';
import type { AccessSettings } from '../../warehouses/postgres/settings.ts';
import { targetOf } from '../../warehouses/postgres/target.ts';
import { loadTemplates, render } from '../../warehouses/template.ts';
import { heeded, stopped, throughGate, withDeadline } from '../calls.ts';
import type { CallOptions, Gate } from '../connector.ts';
import type { Problem } from '../rest.ts';
import { problemOf } from './errors.ts';

export const templates = loadTemplates(import.meta.url, ['statements', 'catalogue']);

export type Row = Record<string, unknown>;
export type Rows = { kind: 'rows'; rows: Row[] };

/** The database: one statement at a time is one transaction, one request, and one pass of the gate. */
export class Database {
  readonly #settings: AccessSettings;
  readonly #gate: Gate;
  #pool: Promise<pg.Pool> | undefined;

  constructor(settings: AccessSettings, gate: Gate) {
    this.#settings = settings;
    this.#gate = gate;
  }

  /** Never throws for what the network or the server does. Values are text, or boolean. */
  async run(sql: string, params: unknown[], call: CallOptions): Promise<Rows | Problem> {
    return throughGate(
      this.#gate,
      call,
      () => this.#attempt(sql, params, call),
      ({ kind }) => kind === 'rows',
    );
  }

  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    await (await pool?.catch(() => undefined))?.end();
  }

  async #attempt(sql: string, params: unknown[], call: CallOptions): Promise<Rows | Problem> {
    const until = performance.now() + call.timeoutMs;
    const progress = { isSent: false };
    try {
      return await withDeadline(call, (signal) => this.#statement(sql, params, until, signal, progress));
    } catch (error) {
      if (!progress.isSent && call.signal.aborted) return stopped;
      if (error instanceof ReadbackError) return { kind: 'unavailable', code: 'url', reason: error.message };
      return heeded(this.#gate, problemOf(error, progress.isSent, this.#secrets()));
    }
  }

  async #statement(
    sql: string,
    params: unknown[],
    until: number,
    signal: AbortSignal,
    progress: { isSent: boolean },
  ): Promise<Rows> {
    const client = await (await this.#open()).connect();
    const lost = (): void => {};
    // The query in flight reports a lost connection too; without a listener it would end the process.
    client.on('error', lost);
    let released = false;
    const release = (failed: boolean) => {
      if (released) return;
      released = true;
      client.release(failed);
      if (!failed) client.off('error', lost);
    };
    const giveUp = () => release(true);
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      if (signal.aborted) throw signal.reason;
      // The server ends the statement when we give up, so that no write is late for longer than a commit takes.
      const timeoutMs = String(Math.max(1, Math.ceil(until - performance.now())));
      await client.query(render(templates, 'session', { timeout_ms: timeoutMs }));
      if (signal.aborted) throw signal.reason;
      progress.isSent = true;
      const { rows } = await client.query<Row>(sql, params);
      release(false);
      return { kind: 'rows', rows };
    } finally {
      signal.removeEventListener('abort', giveUp);
      // After an error the state of the connection is not worth knowing.
      release(true);
    }
  }

  #open(): Promise<pg.Pool> {
    if (this.#pool) return this.#pool;
    const { max_connections, sslrootcert } = this.#settings;
    const opening = (async () =>
      (await openPool(targetOf(this.#settings), max_connections, sslrootcert?.reveal())).pool)();
    opening.catch(() => {
      if (this.#pool === opening) this.#pool = undefined;
    });
    this.#pool = opening;
    return opening;
  }

  #secrets(): string[] {
    const { url, password } = this.#settings;
    return [url, password].flatMap((secret) => secret?.reveal() ?? []);
  }
}
