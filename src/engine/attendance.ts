import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Log } from '../log.ts';
import { queries } from '../store/queries.ts';
import { Repeated } from './repeated.ts';

const sql = queries('pokes');

/** How often to ask for signals that nobody attends to: so long they are without, when a process was killed. */
const attendEveryMs = 3_000;

export interface AttendanceEvents {
  /** This process attends to the signal until `until` is raised. */
  onAttend(signal: string, until: AbortSignal): void;
  /** Pokes of these signals may wait in the ledger. */
  onPoked(signals: readonly string[]): void;
  /** Another process may have brought actions: its number, and the destinations they are for. */
  onNews(payload: string): void;
}

/**
 * Which process attends to which signal's triggers: the one whose session has the signal's lock, on a connection that
 * also hears what other processes say. When the connection is lost, so are the locks, and another process goes on.
 */
export class Attendance {
  readonly #pool: pg.Pool;
  readonly #signals: readonly string[];
  readonly #events: AttendanceEvents;
  readonly #attending: Repeated;

  constructor(pool: pg.Pool, signals: readonly string[], events: AttendanceEvents, log: Log) {
    this.#pool = pool;
    this.#signals = signals;
    this.#events = events;
    this.#attending = new Repeated(
      attendEveryMs,
      log,
      'lost the connection that triggers depend on',
      (stop) => this.#attend(stop),
    );
  }

  start(): void {
    this.#attending.start();
  }

  stop(): Promise<void> {
    return this.#attending.stop();
  }

  /** As long as the connection lives. */
  async #attend(stop: AbortSignal): Promise<void> {
    const client = await this.#pool.connect();
    const lost = new AbortController();
    client.on('error', () => lost.abort());
    client.on('end', () => lost.abort());
    const until = AbortSignal.any([lost.signal, stop]);
    const attended = new Set<string>();
    client.on('notification', ({ channel, payload = '' }) => {
      if (channel === 'readback_due') this.#events.onNews(payload);
      else if (attended.has(payload)) this.#events.onPoked([payload]);
    });
    try {
      for (const channel of ['listen', 'listen_due']) await sql.run(client, channel);
      while (!until.aborted) {
        const free = this.#signals.filter((name) => !attended.has(name));
        for (const { signal } of await sql.run<{ signal: string }>(client, 'attend', { signals: free })) {
          attended.add(signal);
          this.#events.onAttend(signal, until);
        }
        // A notification may be lost, and what a dead process took waits still.
        if (attended.size > 0) this.#events.onPoked([...attended]);
        await sleep(attendEveryMs, undefined, { signal: until }).catch(() => {});
      }
    } finally {
      lost.abort();
      client.removeAllListeners('notification');
      // The locks go with the session.
      client.release(true);
    }
  }
}
