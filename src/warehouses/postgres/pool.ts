import type pg from 'pg';
import { type Target, tlsOptions } from './target.ts';
import { exactTexts } from './values.ts';

export interface Opened {
  pool: pg.Pool;
  /** What was found to work, for connections beside the pool's. */
  ssl: pg.ClientConfig['ssl'];
}

/** Connections to one database: at most `max` at a time, none of them kept for long; values come as exact texts. */
export async function openPool(target: Target, max: number, authority: string | undefined): Promise<Opened> {
  const { default: driver } = await import('pg');
  const ssl = await tlsOf(driver, target, authority);
  const config = { ...target.config, types: exactTexts, ssl };
  // To the pool a connection timeout is also the longest wait for a free connection; only the deadline limits that.
  const Client = class extends driver.Client {
    constructor() {
      super(config);
    }
  };
  const limits = { max, idleTimeoutMillis: 10_000, allowExitOnIdle: true };
  const pool = new driver.Pool({ Client, ...limits });
  pool.on('error', () => {});
  return { pool, ssl };
}

/** `prefer` asks the server once whether it speaks TLS. */
async function tlsOf(
  driver: typeof pg,
  { sslMode, config }: Target,
  authority: string | undefined,
): Promise<pg.ClientConfig['ssl']> {
  const ssl = tlsOptions(sslMode, authority);
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
