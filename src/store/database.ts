import pg from 'pg';
import { ReadbackError } from '../errors.ts';
import { startEmbedded } from './embedded/index.ts';
import type { Log } from './log.ts';
import { queries } from './queries.ts';
import { ledgerTypes } from './types.ts';

export interface DatabaseOptions {
  /** `READBACK_DATABASE_URL`. Absent: the embedded server under `<root>/.readback`. */
  url?: string | undefined;
  /** The project's folder. */
  root: string;
  log: Log;
  /** Connections in the pool. */
  size?: number | undefined;
}

export interface Database {
  pool: pg.Pool;
  /** What else may connect to: pg-boss, a warehouse in the same server. Holds the password: never log it. */
  url: string;
  close(): Promise<void>;
}

/** Opens the ledger's database, starting the embedded server when no other is named. Does not migrate. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const embedded = options.url
    ? undefined
    : await startEmbedded({ dataDir: `${options.root}/.readback`, log: options.log });
  const url = options.url || embedded?.url || '';
  const pool = openPool(url, options);
  const close = async () => {
    await pool.end();
    await embedded?.release();
  };
  try {
    await requireVersion(pool, url);
  } catch (error) {
    await close();
    throw error;
  }
  return { pool, url, close };
}

/**
 * A pool whose connections see the ledger's schema first and give the ledger's types.
 *
 * @param options.pipeline they need not wait for an answer before the next statement; no cursor and no COPY works then
 */
export function openPool(
  url: string,
  options: { log: Log; size?: number | undefined; pipeline?: boolean },
): pg.Pool {
  const pool = new pg.Pool({
    connectionString: withSearchPath(url),
    max: options.size ?? 10,
    pipeline: options.pipeline ?? false,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: ledgerTypes,
  });
  // Without a listener an idle connection that breaks (server restarted) ends the whole process.
  pool.on('error', (error) => options.log.warn({ error: error.message }, 'lost an idle ledger connection'));
  // The same for one that is out while its holder works on something else; the holder's next query says so.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

/**
 * Runs `fn` in one transaction on one connection. Rolls back when it throws. A connection that cannot even roll back
 * is destroyed, so that nobody else gets it in an unknown state.
 */
export async function transaction<Result>(
  pool: pg.Pool,
  fn: (client: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // The server may end the session while `fn` works on something else; the next query then says so.
  const onError = (error: Error) => {
    broken = error;
  };
  client.on('error', onError);
  try {
    await client.query('begin');
    const result = await fn(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((failure: Error) => {
      broken = failure;
    });
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}

async function requireVersion(pool: pg.Pool, url: string): Promise<void> {
  const version = await queries('store')
    .one<{ number: number; text: string }>(pool, 'server_version')
    .catch((error: Error) => {
      throw unreachable(error, url);
    });
  if (version && version.number >= 150_000) return;
  throw new ReadbackError('LEDGER_VERSION', `The ledger needs PostgreSQL 15 or newer (${place(url)})`, {
    value: version?.text,
    hint: 'Point READBACK_DATABASE_URL at a newer server, or unset it to use the embedded one.',
  });
}

function unreachable(error: Error & { code?: string }, url: string): ReadbackError {
  const reason = error.message || error.code || 'no answer';
  return new ReadbackError(
    'LEDGER_UNREACHABLE',
    `The ledger database at ${place(url)} did not answer: ${reason}`,
    {
      hint: 'Check READBACK_DATABASE_URL: host, port, database, user and password; or unset it to use the embedded server.',
      cause: error,
    },
  );
}

/** Where a URL points, without user and password. */
function place(url: string): string {
  const parsed = parse(url);
  return `${parsed.host || 'the local socket'}${parsed.pathname}`;
}

/**
 * The server notices within 25 s that a machine is gone (cable cut, power lost), ends its sessions and gives their locks
 * back. By itself it takes two hours, or a quarter of one when it was just sending; meanwhile nobody could poll the signal
 * that was being polled. The first three are for sessions that wait, the last for those with an answer under way.
 */
const limits = [
  'tcp_keepalives_idle=10',
  'tcp_keepalives_interval=5',
  'tcp_keepalives_count=3',
  'tcp_user_timeout=25000',
  // A process that hangs in the middle of a transaction answers the network still: its locks would hold up every other
  // scheduler. No transaction of ours waits for anything but the ledger.
  'idle_in_transaction_session_timeout=30000',
];

/**
 * A URL whose sessions end when their machine is gone, or their process hangs with a transaction open. pg lets `options` of the URL win over its config, so settings go
 * there; those that the user wrote win over ours.
 */
export function withLimits(url: string): string {
  const parsed = parse(url);
  const ours = limits.map((setting) => `-c ${setting}`).join(' ');
  const given = parsed.searchParams.get('options');
  parsed.searchParams.set('options', [ours, given].filter(Boolean).join(' '));
  return parsed.href;
}

function withSearchPath(url: string): string {
  const parsed = parse(withLimits(url));
  const options = parsed.searchParams.get('options');
  parsed.searchParams.set('options', `${options} -c search_path=readback,public`);
  parsed.searchParams.set('application_name', `readback ${process.pid}`);
  return parsed.href;
}

function parse(url: string): URL {
  try {
    return new URL(url);
  } catch {
    throw new ReadbackError('LEDGER_UNREACHABLE', 'READBACK_DATABASE_URL is not a URL', {
      hint: 'Write postgres://user:password@host:5432/database, with special characters of the password %-encoded.',
    });
  }
}
