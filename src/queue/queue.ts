import { PgBoss } from 'pg-boss';
import type { Log } from '../log.ts';
import { withLimits } from '../store/database.ts';
import type { Queryable } from '../store/queries.ts';

export interface LaneJob {
  destination: string;
  lane: number;
}

export interface PollJob {
  signal: string;
  /** The tick, as ISO text with milliseconds. */
  scheduledFor: string;
  cause: 'schedule' | 'catch_up';
}

/**
 * A job is a turn of a lane or a poll, never one action: the ledger knows what is due, the queue only decides which
 * process looks. A job that came to nothing is asked for again by the dispatcher.
 */
const settings = {
  /**
   * Keeps one queued job for each key, and none that a process has fetched: one whose worker died, or was fetched by a
   * connection that broke, is in nobody's way. Who is at a lane or a signal the ledger knows.
   */
  policy: 'short',
  retryLimit: 0,
  notify: true,
  expireInSeconds: 600,
  // Finished jobs carry no information that the ledger lacks.
  deleteAfterSeconds: 60,
} as const;

const pollQueue = 'poll';
const laneQueue = (destination: string) => `lane/${destination}`;

/** Which process does what: pg-boss on the ledger's own database. */
export class Queue {
  readonly #boss: PgBoss;
  readonly #created = new Map<string, Promise<void>>();

  private constructor(boss: PgBoss) {
    this.#boss = boss;
  }

  static async start(url: string, log: Log): Promise<Queue> {
    const boss = new PgBoss({
      connectionString: withLimits(url),
      application_name: `readback ${process.pid} queue`,
      schema: 'readback_queue',
      max: 4,
      schedule: false,
      useListenNotify: true,
      maintenanceIntervalSeconds: 60,
    });
    boss.on('error', (error: Error) => log.warn({ error: error.message }, 'queue error'));
    await boss.start();
    const queue = new Queue(boss);
    await queue.#create(pollQueue);
    return queue;
  }

  #create(name: string): Promise<void> {
    let created = this.#created.get(name);
    if (!created) {
      created = this.#boss.createQueue(name, settings);
      this.#created.set(name, created);
      created.catch(() => this.#created.delete(name));
    }
    return created;
  }

  /** Asks for a turn of a lane. Does nothing when one is queued. */
  async sendLane(job: LaneJob): Promise<void> {
    const name = laneQueue(job.destination);
    await this.#create(name);
    await this.#boss.send(name, job, { singletonKey: String(job.lane) });
  }

  /**
   * Asks for the poll of a tick. Does nothing when one is queued. That a signal is polled once at a time, and for a tick once,
   * the ledger sees to.
   *
   * @param client in whose transaction
   */
  async sendPoll(job: PollJob, client?: Queryable): Promise<void> {
    const singletonKey = `${job.signal} ${job.scheduledFor}`;
    await this.#boss.send(pollQueue, job, client ? { singletonKey, db: within(client) } : { singletonKey });
  }

  /**
   * Works the lanes of one destination: a pool of its own, so that a slow destination starves no other (bulkhead).
   *
   * @param atOnce how many lanes this process works at the same time; the others wait, or are another process's
   */
  async workLanes(
    destination: string,
    atOnce: number,
    turn: (job: LaneJob, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const name = laneQueue(destination);
    await this.#create(name);
    for (let one = 0; one < atOnce; one += 1) {
      const worker: string = await this.#boss.work<LaneJob>(
        name,
        { pollingIntervalSeconds: 2, notifyPollingIntervalSeconds: 2 },
        async ([job]) => {
          if (job) await turn(job.data, job.signal);
          // There may be more lanes than workers: the next one need not wait for the interval.
          this.#boss.notifyWorker(worker);
        },
      );
    }
  }

  async workPolls(
    concurrency: number,
    poll: (job: PollJob, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    await this.#boss.work<PollJob>(
      pollQueue,
      { localConcurrency: concurrency, pollingIntervalSeconds: 2, notifyPollingIntervalSeconds: 2 },
      async ([job]) => {
        if (job) await poll(job.data, job.signal);
      },
    );
  }

  /** Stops fetching, waits for the jobs under way, then closes. */
  async stop(timeoutMs: number): Promise<void> {
    await this.#boss.stop({ graceful: true, timeout: timeoutMs });
  }
}

function within(client: Queryable) {
  return {
    executeSql: async (text: string, values: unknown[] = []) => {
      const { rows } = await client.query({ text, values });
      return { rows };
    },
  };
}
