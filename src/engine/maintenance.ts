import type pg from 'pg';
import type { Project } from '../config/model.ts';
import { prune } from '../ledger/retention.ts';
import type { Log } from '../log.ts';
import { Repeated } from './repeated.ts';

/** The first time soon after the start, so that a process that lives for minutes prunes too. */
const firstMs = 60_000;
const everyMs = 3_600_000;

/** Prunes the ledger once an hour. Any number of processes may: one of them does it at a time. */
export class Maintenance {
  readonly #pruning: Repeated;

  constructor(project: Project, pool: pg.Pool, log: Log) {
    this.#pruning = new Repeated(everyMs, log, 'could not prune the ledger', async (stop) => {
      const pruned = await prune(pool, project, { preview: false, stop });
      log.info({ ...pruned }, 'pruned');
    });
  }

  start(): void {
    this.#pruning.start(firstMs);
  }

  stop(): Promise<void> {
    return this.#pruning.stop();
  }
}
