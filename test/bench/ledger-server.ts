import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbedded } from '../../src/store/embedded/index.ts';
import { quiet } from '../helpers/postgres.ts';
import { familyProcessorTime } from './processor.ts';

/** The embedded Postgres server with the settings a user gets: durable, on disk. */
export interface LedgerServer {
  version: string;
  /** An empty database; dropped with whatever it holds by `drop`. */
  create(): Promise<{ url: string; drop(): Promise<void> }>;
  /** Runs SQL in one of its databases. */
  run(url: string, sql: string): Promise<void>;
  /** Microseconds of processor time so far, sessions included; NaN where it cannot be told. */
  processorTime(): number;
  close(): Promise<void>;
}

/** @param settings of the server, over those that a user gets */
export async function startLedgerServer(settings: Record<string, string> = {}): Promise<LedgerServer> {
  const folder = await mkdtemp(join(tmpdir(), 'readback-bench-ledger-'));
  const embedded = await startEmbedded({ dataDir: folder, log: quiet, settings });
  let count = 0;
  const run = async (url: string, sql: string): Promise<pg.QueryResult> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    return client.query(sql).finally(() => client.end());
  };
  const { rows } = await run(embedded.url, 'show server_version');
  return {
    version: String(rows[0]?.server_version),
    create: async () => {
      const name = `bench_${++count}`;
      await run(embedded.url, `create database ${name}`);
      const url = new URL(embedded.url);
      url.pathname = `/${name}`;
      const drop = async () => void (await run(embedded.url, `drop database ${name} with (force)`));
      return { url: url.href, drop };
    },
    run: async (url, sql) => void (await run(url, sql)),
    processorTime: () => familyProcessorTime(embedded.pid()),
    close: async () => {
      await embedded.release();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
