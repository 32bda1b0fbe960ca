import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../log.ts';

/** Work that is done again and again until it is stopped. What goes wrong is logged, and tried again the next time. */
export class Repeated {
  readonly #everyMs: number;
  readonly #log: Log;
  readonly #complaint: string;
  readonly #work: (stop: AbortSignal) => Promise<void>;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(everyMs: number, log: Log, complaint: string, work: (stop: AbortSignal) => Promise<void>) {
    this.#everyMs = everyMs;
    this.#log = log;
    this.#complaint = complaint;
    this.#work = work;
  }

  start(firstAfterMs = 0): void {
    this.#running = this.#repeat(firstAfterMs);
  }

  /** Waits for what is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #repeat(firstAfterMs: number): Promise<void> {
    const { signal } = this.#stopping;
    for (let waitMs = firstAfterMs; ; waitMs = this.#everyMs) {
      if (waitMs > 0) await sleep(waitMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      await this.#work(signal).catch((error: Error) =>
        this.#log.warn({ error: error.message }, this.#complaint),
      );
    }
  }
}
