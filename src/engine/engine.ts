import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Project, Signal } from '../config/model.ts';
import type { PollResult } from '../detect/poll.ts';
import type { Log } from '../log.ts';
import { Openings } from '../openings.ts';
import { Pipeline, type Waiting } from '../pipeline.ts';
import { type LaneJob, type PollJob, Queue } from '../queue/queue.ts';
import type { Database } from '../store/database.ts';
import { queries } from '../store/queries.ts';
import { Dispatcher } from './dispatcher.ts';
import { Looks, warmDestinations } from './looks.ts';
import { Maintenance } from './maintenance.ts';
import { collectEarly } from './memory.ts';
import { runPoll } from './polls.ts';
import { Presence } from './presence.ts';
import { attendsTriggers, firesSchedules, type Role, takesTurns } from './role.ts';
import { Scheduler } from './scheduler.ts';
import { Statistics } from './statistics.ts';
import { Watch } from './watch.ts';

export interface EngineOptions {
  project: Project;
  database: Database;
  log: Log;
  role: Role;
}

/** Polls of different signals that one process runs at once. */
const pollConcurrency = 4;
/**
 * Lanes of one destination that one process works at once. Four of a fast destination fill a core, and of a slow one they
 * make more calls than any vendor allows; further lanes are for further processes.
 */
const lanesAtOnce = 4;
/** Who failed as a whole rests this long: a lane (its warehouse is gone), a poll (the ledger cannot be written). */
const restMs = 3_000;
/** Who was failed by the ledger waits for it this long, looking this often. */
const ledgerPatienceMs = 60_000;
const ledgerLookMs = 200;
/** How long a drain waits for turns under way: longer than any call, shorter than a supervisor's patience. */
const drainMs = 30_000;

const sql = queries('schedule');

/**
 * One process of Readback: scheduler, workers and dispatcher around the pipeline. Whatever its role, a process looks for
 * due lanes: whoever sees first asks, and what has been asked is not asked again.
 */
export class Engine {
  readonly pipeline: Pipeline;
  readonly #options: EngineOptions;
  readonly #queue: Queue;
  readonly #dispatcher: Dispatcher;
  readonly #scheduler: Scheduler;
  readonly #presence: Presence;
  readonly #watch: Watch;
  readonly #maintenance: Maintenance;
  readonly #statistics: Statistics;
  readonly #openings: Openings;
  readonly #looks: Looks | undefined;
  readonly #draining = new AbortController();
  readonly #resting = new Map<string, number>();
  /** Lanes that a turn of this process is at, each until its job has expired. */
  readonly #worked = new Map<string, AbortSignal>();

  private constructor(options: EngineOptions, queue: Queue) {
    const { project, database, log } = options;
    this.#options = options;
    this.#queue = queue;
    // Every piece of work under way listens to it.
    setMaxListeners(0, this.#draining.signal);
    this.#openings = new Openings(project, database.pool);
    this.pipeline = new Pipeline(project, database.pool, this.#openings, log);
    const warm = attendsTriggers(options.role) ? warmDestinations(project) : [];
    this.#scheduler = new Scheduler(project, database.pool, queue, log);
    this.#presence = new Presence(database.pool, options.role, log);
    this.#dispatcher = new Dispatcher({
      project,
      ledger: database.pool,
      queue,
      log,
      process: this.#presence.id,
      warm,
      isWorked: (lane) => this.#isWorked(lane),
    });
    this.#watch = new Watch(project, database.pool, log);
    this.#maintenance = new Maintenance(project, database.pool, log);
    this.#statistics = new Statistics(database.pool, log);
    this.#looks =
      warm.length > 0
        ? new Looks({
            pipeline: this.pipeline,
            pool: database.pool,
            url: database.url,
            log,
            stop: this.#draining.signal,
            dispatch: () => this.#dispatcher.dispatch(),
          })
        : undefined;
  }

  /** Resolves with the reason when this process must not go on; it is then drained like at any other end. */
  get outdated(): Promise<string> {
    return this.#presence.outdated;
  }

  static async start(options: EngineOptions): Promise<Engine> {
    collectEarly();
    const { project, database, log } = options;
    for (const problem of project.problems) log.error({ code: problem.code }, problem.format());
    await registerProject(project, database);
    const engine = new Engine(options, await Queue.start(database.url, log));
    await engine.#presence.start();
    if (takesTurns(options.role)) await engine.#work();
    engine.#looks?.start();
    if (firesSchedules(options.role)) {
      await engine.#scheduler.start();
      engine.#watch.start();
      engine.#maintenance.start();
    }
    engine.#statistics.start();
    engine.#dispatcher.start();
    return engine;
  }

  /** Polls one signal now, in this process, and sees that its actions are picked up. */
  async poll(signal: Signal, only: readonly string[] = []): Promise<PollResult> {
    const result = await runPoll(
      this.pipeline,
      this.#options.database.pool,
      signal,
      { cause: 'manual', scheduledFor: null, only, signal: this.#draining.signal },
      this.#options.log,
    );
    await this.#dispatcher.dispatch();
    return result;
  }

  /** Finishes what is under way, begins nothing new, lets go of everything. The ledger holds what is left. */
  async drain(): Promise<void> {
    this.#draining.abort();
    await this.#watch.stop();
    await this.#maintenance.stop();
    await this.#statistics.stop();
    await this.#scheduler.stop();
    await this.#looks?.stop();
    await this.#dispatcher.stop();
    await this.#queue.stop(drainMs);
    await this.#openings.close();
    await this.#presence.stop();
  }

  async #work(): Promise<void> {
    const { project } = this.#options;
    await this.#queue.workPolls(pollConcurrency, (job, signal) => this.#pollTurn(job, signal));
    for (const destination of project.destinations.values()) {
      const atOnce = Math.min(destination.lanes, lanesAtOnce);
      await this.#queue.workLanes(destination.name, atOnce, (job, expired) => this.#laneTurn(job, expired));
    }
  }

  /**
   * What is wrong with the signal or its warehouse is a result. Only a failing ledger throws: the tick is then still open,
   * and the dispatcher asks again.
   */
  async #pollTurn(job: PollJob, expired: AbortSignal): Promise<void> {
    const { project, database, log } = this.#options;
    const signal = project.signals.get(job.signal);
    const name = `poll of ${job.signal}`;
    if (!signal || this.#rests(name)) return;
    await runPoll(
      this.pipeline,
      database.pool,
      signal,
      {
        cause: job.cause,
        scheduledFor: job.scheduledFor,
        only: [],
        signal: AbortSignal.any([expired, this.#draining.signal]),
      },
      log,
    ).catch(async (error: Error) => {
      log.error({ signal: signal.name, error: error.message }, 'poll failed');
      if (!(await this.#ledgerWasAway())) this.#rest(name);
    });
    await this.#dispatcher.dispatch().catch(() => {});
  }

  /** A failed turn never fails the job: what was due is still due, and the dispatcher asks again. */
  async #laneTurn(job: LaneJob, expired: AbortSignal): Promise<void> {
    const { project, log } = this.#options;
    const destination = project.destinations.get(job.destination);
    const name = nameOf(job);
    if (!destination || this.#rests(name) || this.#isWorked(job)) return;
    this.#worked.set(name, expired);
    try {
      const shared = { process: this.#presence.id, draining: this.#draining.signal };
      const turn = (waiting?: Waiting) =>
        this.pipeline.laneTurn(destination, job.lane, { ...shared, waiting });
      // Kept only where there is a worker for every lane: one that waits must not keep others from their turn.
      if (this.#looks && destination.lanes <= lanesAtOnce) await this.#looks.keep(destination, turn);
      else await turn();
    } catch (error) {
      log.error(
        { destination: destination.name, lane: job.lane, error: (error as Error).message },
        'lane turn failed',
      );
      if (!(await this.#ledgerWasAway())) this.#rest(name);
    } finally {
      if (this.#worked.get(name) === expired) this.#worked.delete(name);
    }
  }

  #rest(name: string): void {
    this.#resting.set(name, performance.now() + restMs);
  }

  #rests(name: string): boolean {
    return (this.#resting.get(name) ?? 0) > performance.now();
  }

  /** The ledger cannot tell two turns of one process apart. One that hangs is given up when its job expires. */
  #isWorked(lane: LaneJob): boolean {
    return this.#worked.get(nameOf(lane))?.aborted === false;
  }

  /** Waits for a ledger that does not answer. Whom it failed need not rest: nothing else was wrong. */
  async #ledgerWasAway(): Promise<boolean> {
    const until = performance.now() + ledgerPatienceMs;
    for (let away = false; ; away = true) {
      const answers = await this.#options.database.pool.query('select').then(
        () => true,
        () => false,
      );
      if (answers || this.#draining.signal.aborted || performance.now() > until) return away;
      await sleep(ledgerLookMs, undefined, { signal: this.#draining.signal }).catch(() => {});
    }
  }
}

function nameOf({ destination, lane }: LaneJob): string {
  return `${destination}/${lane}`;
}

/** The ledger must know the names that its rows refer to. */
async function registerProject(project: Project, database: Database): Promise<void> {
  for (const { name, connection } of project.destinations.values()) {
    await sql.run(database.pool, 'register_destination', { destination: name, connection });
  }
  for (const { name, version } of project.signals.values()) {
    await sql.run(database.pool, 'register_signal', { signal: name, version });
  }
}
