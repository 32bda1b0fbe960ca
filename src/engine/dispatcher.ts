import type { Project } from '../config/model.ts';
import type { Log } from '../log.ts';
import type { LaneJob, PollJob, Queue } from '../queue/queue.ts';
import { type Queryable, queries } from '../store/queries.ts';
import { Repeated } from './repeated.ts';

const sql = queries('lanes');
const schedule = queries('schedule');

export interface DispatcherOptions {
  project: Project;
  ledger: Queryable;
  queue: Queue;
  log: Log;
  /** The id of this process in the ledger. */
  process: string;
  /** Destinations at whose lanes somebody is to wait, whether anything is due or not. */
  warm: readonly string[];
  /** Whether a turn of this process is at the lane. */
  isWorked(lane: LaneJob): boolean;
}

/** How often the ledger is asked what is due. One index probe for each lane, and one for the ticks. */
const intervalMs = 500;

/**
 * Turns what is due in the ledger into turns of lanes and polls. Level-triggered: whatever is lost on the way (a job, a
 * notification, a worker) is found due again at the next look, so the queue need not be trusted with anything.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #looking: Repeated;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#looking = new Repeated(intervalMs, options.log, 'could not look for what is due', () =>
      this.dispatch(),
    );
  }

  start(): void {
    this.#looking.start();
  }

  /** Looks now, without waiting for the interval. */
  async dispatch(): Promise<void> {
    await this.#askForTurns();
    await this.#askForPolls();
  }

  async #askForTurns(): Promise<void> {
    const { project, ledger, queue, process, warm, isWorked } = this.#options;
    const destinations = [...project.destinations.values()];
    const lanes = destinations.flatMap((one) =>
      Array.from({ length: one.lanes }, (_, lane) => ({ destination: one.name, lane })),
    );
    const due = await sql.run<LaneJob & { ours: number | null }>(ledger, 'lanes_due', {
      process,
      destinations: lanes.map((lane) => lane.destination),
      lanes: lanes.map((lane) => lane.lane),
      warm,
    });
    for (const { destination, lane, ours } of due) {
      if (isWorked({ destination, lane })) continue;
      // A turn of ours that was not told that it had the lane, or could not say that it let go. Only we can know.
      if (ours !== null) await sql.run(ledger, 'let_go', { destination, lane, epoch: ours });
      await queue.sendLane({ destination, lane });
    }
  }

  async #askForPolls(): Promise<void> {
    const { project, ledger, queue } = this.#options;
    const signals = [...project.signals.keys()];
    for (const job of await schedule.run<PollJob>(ledger, 'ticks_open', { signals }))
      await queue.sendPoll(job);
  }

  stop(): Promise<void> {
    return this.#looking.stop();
  }
}
