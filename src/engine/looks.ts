import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { Destination, Project, Signal } from '../config/model.ts';
import { subscribers } from '../config/play.ts';
import { wholeOnly } from '../detect/look.ts';
import type { Log } from '../log.ts';
import type { Pipeline, Waiting } from '../pipeline.ts';
import { openPool } from '../store/database.ts';
import { queries } from '../store/queries.ts';
import { Calls } from './calls.ts';
import { type Looking, Pokes } from './pokes.ts';
import { runLook, runPoll } from './polls.ts';
import { Triggers } from './triggers.ts';

const sql = queries('detect');

export interface LooksOptions {
  pipeline: Pipeline;
  pool: pg.Pool;
  /** Of the ledger, for connections beside the pool's. */
  url: string;
  log: Log;
  stop: AbortSignal;
  /** Asks for turns of lanes that nobody keeps. */
  dispatch(): Promise<void>;
}

/** Destinations that triggers bring actions for. */
export function warmDestinations({ destinations, signals }: Project): string[] {
  return [...destinations.values()]
    .filter((one) => one.signals.some((name) => signals.get(name)?.trigger))
    .map((one) => one.name);
}

/** What follows from a trigger in this process: pokes become looks and polls, and what they found is sent at once. */
export class Looks {
  readonly #options: LooksOptions;
  readonly #calls: Calls;
  readonly #pokes: Pokes;
  readonly #triggers: Triggers;
  /** Most of a look's statements need not wait for the answer to the one before: eleven round trips become two. */
  readonly #lookers: pg.Pool;
  readonly #warm: ReadonlySet<string>;
  /** Lanes of each destination that are kept here. */
  readonly #kept = new Map<string, number>();
  #dispatching: Promise<void> | undefined;
  #dispatchAgain = false;
  /** Says which news are our own. */
  readonly #id = randomUUID();

  constructor(options: LooksOptions) {
    const { pipeline, pool, log, stop } = options;
    this.#options = options;
    this.#warm = new Set(warmDestinations(pipeline.project));
    this.#calls = new Calls(stop);
    this.#lookers = openPool(options.url, { log, pipeline: true });
    const looker = {
      look: (signal: Signal, entities: readonly string[]) => this.#look(signal, entities),
      poll: (signal: Signal) => this.#poll(signal),
    };
    this.#pokes = new Pokes(looker, stop);
    this.#triggers = new Triggers({
      project: pipeline.project,
      openings: pipeline.openings,
      pool,
      pokes: this.#pokes,
      log,
      onNews: (payload) => this.#hear(payload),
    });
  }

  start(): void {
    this.#triggers.start();
  }

  async stop(): Promise<void> {
    await this.#triggers.stop();
    await this.#pokes.stopped();
    if (!this.#lookers.ending) await this.#lookers.end();
  }

  /** A turn of a lane, which is kept where triggers bring actions for it. */
  async keep({ name }: Destination, turn: (waiting: Waiting | undefined) => Promise<void>): Promise<void> {
    if (!this.#warm.has(name)) return turn(undefined);
    this.#kept.set(name, this.#keptOf(name) + 1);
    try {
      await turn(this.#calls.waiting(name));
    } finally {
      this.#kept.set(name, this.#keptOf(name) - 1);
    }
  }

  #keptOf(destination: string): number {
    return this.#kept.get(destination) ?? 0;
  }

  async #look(signal: Signal, entities: readonly string[]): Promise<Looking> {
    const { pipeline, log, stop } = this.#options;
    if (wholeOnly(signal) !== undefined) return 'whole';
    const destinations = subscribers(pipeline.project, signal).map((one) => one.name);
    const news = [this.#id, ...destinations].join(' ');
    try {
      const looked = await runLook(pipeline, this.#lookers, signal, { entities, news, signal: stop });
      if (looked?.state === 'done' && looked.entered + looked.changed + looked.departed > 0)
        this.#tell(destinations);
      if (looked?.state === 'whole')
        log.info({ signal: signal.name, reason: looked.reason }, 'looking at all');
      return !looked ? 'busy' : looked.state === 'whole' ? 'whole' : 'done';
    } catch (error) {
      if (!stop.aborted)
        log.warn({ signal: signal.name, error: (error as Error).message }, 'look failed; looking at all');
      return 'whole';
    }
  }

  async #poll(signal: Signal): Promise<Looking> {
    const { pipeline, pool, log, stop } = this.#options;
    const known = await sql.one<{ paused: boolean }>(pool, 'known_signal', {
      signal: signal.name,
      shape: '',
    });
    // As a tick would be skipped. After the pause the schedule looks.
    if (known?.paused) return 'done';
    const request = { cause: 'trigger', scheduledFor: null, only: [], signal: stop } as const;
    const { state } = await runPoll(pipeline, pool, signal, request, log);
    this.#tell(subscribers(pipeline.project, signal).map((one) => one.name));
    return state === 'skipped' ? 'busy' : 'done';
  }

  /** Those who keep a lane look at once; for lanes that nobody keeps, a turn is asked for. */
  #tell(destinations: readonly string[]): void {
    for (const name of destinations) this.#calls.call(name);
    const known = this.#options.pipeline.project.destinations;
    if (destinations.some((name) => this.#keptOf(name) < (known.get(name)?.lanes ?? 0))) this.#dispatch();
  }

  /** One at a time, and once more when it was asked for meanwhile. */
  #dispatch(): void {
    this.#dispatchAgain = this.#dispatching !== undefined;
    this.#dispatching ??= this.#options
      .dispatch()
      .catch(() => {})
      .finally(() => {
        this.#dispatching = undefined;
        if (this.#dispatchAgain) this.#dispatch();
      });
  }

  #hear(payload: string): void {
    const [from, ...destinations] = payload.split(' ');
    if (from !== this.#id) for (const name of destinations) this.#calls.call(name);
  }
}
