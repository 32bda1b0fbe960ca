import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import type pg from 'pg';
import { Postgres } from '../fleet/postgres.ts';
import { type LogLine, Product } from '../fleet/product.ts';
import { until } from '../fleet/wait.ts';
import { draw } from '../random.ts';

const movedClock = fileURLToPath(new URL('./moved-clock.mjs', import.meta.url));
const hourMs = 3_600_000;
const everyMs = 1_000;

/** A row of `polls`, times in ms since 1970. */
export interface Poll {
  scheduledFor: number;
  cause: string;
  state: string;
  reason: string | null;
}

/** What happened on the ledger and in the logs while clocks were set. */
export interface Happened {
  polls: Poll[];
  log: LogLine[];
  /** By the real clock, when all schedulers were down and when they came back. */
  downFrom: number;
  downTo: number;
  leaps: number;
}

/** Three schedulers of one signal that is polled every second, each with a clock that can be set. */
class Schedulers {
  readonly #products: Product[] = [];
  readonly #clocks: string[] = [];

  static async open(root: string, url: string): Promise<Schedulers> {
    const schedulers = new Schedulers();
    for (const name of ['one', 'two', 'three']) {
      const folder = join(root, name);
      const clock = join(root, `${name}.clock`);
      await writeProject(folder, join(root, 'warehouse.duckdb'));
      await writeFile(clock, '0');
      const env = { READBACK_DATABASE_URL: url, CLOCK_FILE: clock, NODE_OPTIONS: `--import ${movedClock}` };
      schedulers.#products.push(new Product(folder, env));
      schedulers.#clocks.push(clock);
    }
    return schedulers;
  }

  async start(): Promise<void> {
    // The first prepares the ledger; three at once would only wait for each other.
    for (const product of this.#products) await product.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#products.map((product) => product.stopAll()));
  }

  async setClocks(aheadMs: (index: number) => number): Promise<void> {
    await Promise.all(this.#clocks.map((file, index) => writeFile(file, String(Math.round(aheadMs(index))))));
  }

  async log(): Promise<LogLine[]> {
    const lines: LogLine[] = [];
    for (const product of this.#products) for await (const line of product.logLines()) lines.push(line);
    return lines;
  }
}

async function writeProject(folder: string, warehouse: string): Promise<void> {
  await mkdir(join(folder, 'signals'), { recursive: true });
  await writeFile(
    join(folder, 'readback.yml'),
    `project: clocks\nwarehouses:\n  analytics: { type: duckdb, path: ${JSON.stringify(warehouse)} }\n`,
  );
  await writeFile(
    join(folder, 'signals', 'ticking.sql'),
    '/*\nkey: id\nevery: 1s\n*/\nselect id from things\n',
  );
}

async function writeWarehouse(path: string): Promise<void> {
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  await connection.run('create table things as select 1 as id');
  connection.closeSync();
  instance.closeSync();
}

async function pollsOf(pool: pg.Pool): Promise<Poll[]> {
  const { rows } = await pool.query<{
    scheduled_for: Date;
    cause: string;
    state: string;
    reason: string | null;
  }>('select scheduled_for, cause, state, reason from readback.polls order by scheduled_for');
  return rows.map(({ scheduled_for, ...poll }) => ({ ...poll, scheduledFor: scheduled_for.getTime() }));
}

/** Lets the schedulers run while their clocks creep, leap an hour forward and back, and while they are all down. */
export async function setClocksAndSee(seed: number, steadySeconds: number): Promise<Happened> {
  const root = await mkdtemp(join(tmpdir(), 'readback-clocks-'));
  const postgres = await Postgres.start(join(root, 'postgres'));
  const pool = await postgres.create('ledger');
  try {
    await writeWarehouse(join(root, 'warehouse.duckdb'));
    const schedulers = await Schedulers.open(root, postgres.url('ledger'));
    await schedulers.start();
    const ticksSince = (since: number, least: number) => (): Promise<boolean> =>
      pollsOf(pool).then((polls) => polls.filter(({ scheduledFor }) => scheduledFor > since).length >= least);

    await until('the schedulers tick', ticksSince(0, steadySeconds));
    for (let step = 0; step < steadySeconds * 4; step += 1) {
      // As a time service does: a little ahead, a little behind, never more than 0.3 s.
      await schedulers.setClocks((index) => (draw(seed, 'creep', step, index) - 0.5) * 600);
      await sleep(250);
    }
    await schedulers.setClocks(() => 0);

    await schedulers.setClocks(() => hourMs);
    await until('they tick an hour ahead', ticksSince(Date.now() + hourMs - 30_000, steadySeconds));
    await schedulers.setClocks(() => 0);
    const back = Date.now();
    const recent = async (): Promise<boolean> =>
      (await pollsOf(pool)).filter(
        ({ scheduledFor }) => scheduledFor > back && scheduledFor < back + hourMs / 2,
      ).length >= steadySeconds;
    await until('they tick by the right clock again', recent);

    await schedulers.stop();
    const downFrom = Date.now();
    await sleep(3 * everyMs + 500);
    const downTo = Date.now();
    await schedulers.start();
    await until('they tick after the pause', async () =>
      (await pollsOf(pool)).some(
        ({ scheduledFor, cause }) =>
          cause === 'schedule' && scheduledFor > downTo && scheduledFor < downTo + hourMs / 2,
      ),
    );
    await schedulers.stop();
    return { polls: await pollsOf(pool), log: await schedulers.log(), downFrom, downTo, leaps: 2 };
  } finally {
    await pool.end();
    await postgres.stop();
    await rm(root, { recursive: true, force: true });
  }
}
