import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Project, Schedule, Signal } from '../config/model.ts';
import type { Log } from '../log.ts';
import type { Queue } from '../queue/queue.ts';
import { transaction } from '../store/database.ts';
import { queries } from '../store/queries.ts';
import { previousTick, startTicker, type Ticker } from './ticks.ts';

const sql = queries('schedule');

/** A tick that the ledger could not take is offered again this much later. */
const offerAgainMs = 2_000;

/** Fires the polls of all scheduled signals. Any number may run: a tick is claimed in the ledger before it fires. */
export class Scheduler {
  readonly #project: Project;
  readonly #pool: pg.Pool;
  readonly #queue: Queue;
  readonly #log: Log;
  readonly #tickers: Ticker[] = [];
  readonly #firing = new Set<Promise<void>>();
  readonly #newest = new Map<string, Date>();
  readonly #stopping = new AbortController();

  constructor(project: Project, pool: pg.Pool, queue: Queue, log: Log) {
    this.#project = project;
    this.#pool = pool;
    this.#queue = queue;
    this.#log = log;
  }

  /** Catches up what was missed while nobody was there, once, then follows the clock. */
  async start(): Promise<void> {
    for (const signal of this.#project.signals.values()) {
      if (!signal.schedule) continue;
      const now = new Date();
      await this.#catchUp(signal, signal.schedule, now);
      this.#tickers.push(this.#follow(signal, signal.schedule, now));
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const ticker of this.#tickers) ticker.stop();
    await Promise.all(this.#firing);
  }

  async #catchUp(signal: Signal, schedule: Schedule, now: Date): Promise<void> {
    const missed = previousTick(schedule, now);
    const last = await sql.one<{ at: Date | null }>(this.#pool, 'last_tick', {
      signal: signal.name,
      now: now.toISOString(),
    });
    if (!last?.at || last.at < missed) await this.claim(signal, missed, 'catch_up');
  }

  #follow(signal: Signal, schedule: Schedule, since: Date): Ticker {
    return startTicker(schedule, since, {
      onTick: (at, missed) => {
        if (missed)
          this.#log.warn(
            { signal: signal.name, first: missed, tick: at },
            'ticks missed, the newest is caught up',
          );
        this.#fire(signal, at, missed ? 'catch_up' : 'schedule');
      },
      onClockBack: (now) =>
        this.#log.warn(
          { signal: signal.name, now },
          'the clock went back, ticks that fired do not fire again',
        ),
    });
  }

  #fire(signal: Signal, at: Date, cause: 'schedule' | 'catch_up'): void {
    this.#newest.set(signal.name, at);
    const firing = this.#offer(signal, at, cause).finally(() => this.#firing.delete(firing));
    this.#firing.add(firing);
  }

  /** A ledger that is away for a minute must not cost a daily poll: the tick is offered until it is taken, or a newer one is. */
  async #offer(signal: Signal, at: Date, cause: 'schedule' | 'catch_up'): Promise<void> {
    while (!this.#stopping.signal.aborted && this.#newest.get(signal.name) === at) {
      try {
        await this.claim(signal, at, cause);
        return;
      } catch (error) {
        const { message } = error as Error;
        this.#log.error({ signal: signal.name, tick: at, error: message }, 'tick not taken; offered again');
      }
      await sleep(offerAgainMs, undefined, { signal: this.#stopping.signal }).catch(() => {});
    }
  }

  /** Claims a tick and queues its poll in one transaction. */
  async claim(signal: Signal, at: Date, cause: 'schedule' | 'catch_up'): Promise<void> {
    const scheduledFor = at.toISOString();
    await transaction(this.#pool, async (client) => {
      const tick = await sql.one<{ state: string; reason: string | null }>(client, 'claim_tick', {
        signal: signal.name,
        scheduled_for: scheduledFor,
        cause,
        stale_seconds: signal.timeoutMs / 1000 + 60,
      });
      if (tick?.state === 'queued')
        await this.#queue.sendPoll({ signal: signal.name, scheduledFor, cause }, client);
      else if (tick)
        this.#log.warn({ signal: signal.name, tick: scheduledFor, reason: tick.reason }, 'tick skipped');
    });
  }
}
