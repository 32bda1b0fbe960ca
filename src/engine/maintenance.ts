import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Project } from '../config/model.ts';
import { prune } from '../ledger/retention.ts';
import type { Log } from '../log.ts';

/** The first time soon after the start, so that a process that lives for minutes prunes too. */
const firstMs = 60_000;
const everyMs = 3_600_000;

/** Prunes the ledger once an hour. Any number of processes may: one of them does it at a time. */
export class Maintenance {
  readonly #project: Project;
  readonly #pool: pg.Pool;
  readonly #log: Log;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(project: Project, pool: pg.Pool, log: Log) {
    this.#project = project;
    this.#pool = pool;
    this.#log = log;
  }

  start(): void {
    this.#running = this.#loop();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #loop(): Promise<void> {
    const { signal: stop } = this.#stopping;
    for (let waitMs = firstMs; ; waitMs = everyMs) {
      await sleep(waitMs, undefined, { signal: stop }).catch(() => {});
      if (stop.aborted) return;
      await prune(this.#pool, this.#project, { preview: false, stop })
        .then((pruned) => this.#log.info({ ...pruned }, 'pruned'))
        .catch((error: Error) => this.#log.warn({ error: error.message }, 'could not prune the ledger'));
    }
  }
}
