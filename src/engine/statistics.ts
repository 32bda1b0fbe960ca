import type { Log } from '../log.ts';
import { type Queryable, queries } from '../store/queries.ts';
import { Repeated } from './repeated.ts';

const sql = queries('store');

const everyMs = 1_000;

/**
 * Has the server look again at tables that have grown tenfold. Its own autovacuum looks once a minute; until then a prepared
 * statement keeps the plan that was right for a table of ten pages, and reads all of one that has grown since. Any number
 * of processes may.
 */
export class Statistics {
  readonly #looking: Repeated;

  constructor(ledger: Queryable, log: Log) {
    this.#looking = new Repeated(everyMs, log, 'could not renew the statistics of the ledger', async () => {
      const grown = await sql.one<{ grown: boolean }>(ledger, 'has_grown');
      if (grown?.grown) await sql.run(ledger, 'analyze_ledger');
    });
  }

  start(): void {
    this.#looking.start(everyMs);
  }

  stop(): Promise<void> {
    return this.#looking.stop();
  }
}
