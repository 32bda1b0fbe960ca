import type { Project } from '../config/model.ts';
import type { Log } from '../log.ts';
import type { Queue } from '../queue/queue.ts';
import { type Queryable, queries } from '../store/queries.ts';
import { Repeated } from './repeated.ts';

const sql = queries('lanes');

/** How often the ledger is asked which lanes have something due. One index probe for each lane. */
const intervalMs = 500;

/**
 * Turns what is due in the ledger into turns of lanes. Level-triggered: whatever is lost on the way (a job, a
 * notification, a worker) is found due again at the next look, so the queue need not be trusted with anything.
 */
export class Dispatcher {
  readonly #project: Project;
  readonly #ledger: Queryable;
  readonly #queue: Queue;
  readonly #warm: readonly string[];
  readonly #looking: Repeated;

  /** @param warm destinations at whose lanes somebody is to wait, whether anything is due or not */
  constructor(project: Project, ledger: Queryable, queue: Queue, log: Log, warm: readonly string[]) {
    this.#project = project;
    this.#ledger = ledger;
    this.#queue = queue;
    this.#warm = warm;
    this.#looking = new Repeated(intervalMs, log, 'could not look for due lanes', () => this.dispatch());
  }

  start(): void {
    this.#looking.start();
  }

  /** Looks now, without waiting for the interval. */
  async dispatch(): Promise<void> {
    const destinations = [...this.#project.destinations.values()];
    const lanes = destinations.flatMap((one) =>
      Array.from({ length: one.lanes }, (_, lane) => ({ destination: one.name, lane })),
    );
    const due = await sql.run<{ destination: string; lane: number }>(this.#ledger, 'lanes_due', {
      destinations: lanes.map((lane) => lane.destination),
      lanes: lanes.map((lane) => lane.lane),
      warm: this.#warm,
    });
    for (const job of due) await this.#queue.sendLane(job);
  }

  stop(): Promise<void> {
    return this.#looking.stop();
  }
}
