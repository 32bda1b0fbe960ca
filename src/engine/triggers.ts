import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Project, Signal } from '../config/model.ts';
import { encodeEntity } from '../ledger/entity.ts';
import { donePoke, takePokes } from '../ledger/pokes.ts';
import type { Log } from '../log.ts';
import type { Openings } from '../openings.ts';
import type { Changes } from '../warehouses/warehouse.ts';
import { Attendance } from './attendance.ts';
import type { Pokes } from './pokes.ts';
import { askProbe } from './probe.ts';

/** After a connection was lost, doubling up to the second. */
const restMs = { first: 1_000, most: 60_000 };

export interface TriggersOptions {
  project: Project;
  pool: pg.Pool;
  openings: Openings;
  pokes: Pokes;
  log: Log;
  onNews(payload: string): void;
}

/** Turns what warehouses, callers and probes tell into pokes, for the signals that this process attends to. */
export class Triggers {
  readonly #options: TriggersOptions;
  readonly #attendance: Attendance;
  readonly #signals: ReadonlyMap<string, Signal>;
  readonly #following = new Set<Promise<void>>();
  readonly #taken = new Set<number>();

  constructor(options: TriggersOptions) {
    this.#options = options;
    this.#signals = new Map([...options.project.signals].filter(([, signal]) => signal.trigger));
    const events = {
      onAttend: (name: string, until: AbortSignal) => this.#attend(name, until),
      onPoked: (names: readonly string[]) => void this.#take(names),
      onNews: options.onNews,
    };
    this.#attendance = new Attendance(options.pool, [...this.#signals.keys()], events, options.log);
  }

  start(): void {
    this.#attendance.start();
  }

  async stop(): Promise<void> {
    await this.#attendance.stop();
    await Promise.all(this.#following);
  }

  #attend(name: string, until: AbortSignal): void {
    const signal = this.#signals.get(name);
    if (!signal?.trigger) return;
    const { listen, replicate, probe } = signal.trigger;
    if (listen !== undefined) this.#keep(this.#follow(signal, { listen }, until));
    if (replicate) this.#keep(this.#follow(signal, { replicate }, until));
    if (probe) {
      const { openings, pokes, log } = this.#options;
      const changed = () => pokes.poke(signal, undefined);
      this.#keep(
        askProbe(signal, probe, { open: () => openings.warehouse(signal.warehouse), changed, log, until }),
      );
    }
  }

  #keep(following: Promise<void>): void {
    this.#following.add(following);
    void following.finally(() => this.#following.delete(following));
  }

  async #follow(signal: Signal, changes: Changes, until: AbortSignal): Promise<void> {
    const { openings, pokes, log } = this.#options;
    let waitMs = restMs.first;
    const follower = {
      key: signal.key,
      onReady: () => {
        waitMs = restMs.first;
        log.info({ signal: signal.name, ...changes }, 'following changes');
        // Nobody knows what was committed while nobody listened.
        pokes.poke(signal, undefined);
      },
      onChange: (keys: string[][] | undefined) =>
        pokes.poke(
          signal,
          keys?.flatMap((key) => encodeEntity(key) ?? []),
        ),
    };
    while (!until.aborted) {
      try {
        const warehouse = await openings.warehouse(signal.warehouse);
        await warehouse.follow?.(changes, follower, until);
      } catch (error) {
        log.warn(
          { signal: signal.name, ...changes, error: (error as Error).message, retryMs: waitMs },
          'changes are not followed; the schedule finds them',
        );
      }
      await sleep(waitMs, undefined, { signal: until }).catch(() => {});
      waitMs = Math.min(waitMs * 2, restMs.most);
    }
  }

  async #take(names: readonly string[]): Promise<void> {
    const { pool, pokes, log } = this.#options;
    try {
      for (const { id, signal: name, entities } of await takePokes(pool, names, [...this.#taken])) {
        const signal = this.#signals.get(name);
        if (!signal || this.#taken.has(id)) continue;
        this.#taken.add(id);
        pokes.poke(signal, entities ?? undefined, () => void this.#done(id));
      }
    } catch (error) {
      log.warn({ error: (error as Error).message }, 'could not look for pokes');
    }
  }

  /** One that cannot be crossed out is taken, and looked at, once more. */
  async #done(id: number): Promise<void> {
    await donePoke(this.#options.pool, id).catch(() => {});
    this.#taken.delete(id);
  }
}
