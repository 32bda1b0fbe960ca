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
  /** The tick, as ISO text with microseconds. */
  scheduledFor: string;
  cause: 'schedule' | 'catch_up';
}

/**
 * A job is a turn of a lane or a poll, never one action: the ledger knows what is due, the queue only decides which
 * process looks.
 */
const common = {
  notify: true,
  expireInSeconds: 600,
  // Finished jobs carry no information that the ledger lacks.
  deleteAfterSeconds: 60,
} as const;

const settings = {
  /**
   * `short` keeps one queued job for each key, and none that a process has fetched: whose fetch was lost with its
   * connection, or who died, is in nobody's way. Who is at a lane the ledger knows. The dispatcher asks again.
   */
  lane: { ...common, policy: 'short', retryLimit: 0 },
  /** Nobody asks for a poll again, so it is tried until it begins. */
  poll: {
    ...common,
    policy: 'exclusive',
    // A worker that dies is noticed after one missed heartbeat; 10 s is pg-boss's shortest.
    heartbeatSeconds: 10,
    retryLimit: 1_000,
    retryDelay: 1,
    retryBackoff: true,
    retryDelayMax: 10,
  },
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
      superviseIntervalSeconds: 5,
      monitorIntervalSeconds: 5,
      maintenanceIntervalSeconds: 60,
    });
    boss.on('error', (error: Error) => log.warn({ error: error.message }, 'queue error'));
    await boss.start();
    const queue = new Queue(boss);
    await queue.#create(pollQueue, settings.poll);
    return queue;
  }

  #create(name: string, setting: (typeof settings)[keyof typeof settings]): Promise<void> {
    let created = this.#created.get(name);
    if (!created) {
      created = this.#boss.createQueue(name, setting);
      this.#created.set(name, created);
    }
    return created;
  }

  /** Asks for a turn of a lane. Does nothing when one is queued. */
  async sendLane(job: LaneJob): Promise<void> {
    const name = laneQueue(job.destination);
    await this.#create(name, settings.lane);
    await this.#boss.send(name, job, { singletonKey: String(job.lane) });
  }

  /**
   * Asks for a poll, in the transaction that claimed its tick. The key is the tick, not the signal: a job whose worker
   * died stays in the way of its key for up to 15 s. That a signal is polled once at a time the ledger sees to.
   */
  async sendPoll(job: PollJob, client: Queryable): Promise<void> {
    const db = {
      executeSql: async (text: string, values: unknown[] = []) => {
        const { rows } = await client.query({ text, values });
        return { rows };
      },
    };
    await this.#boss.send(pollQueue, job, { singletonKey: `${job.signal} ${job.scheduledFor}`, db });
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
    await this.#create(name, settings.lane);
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
