import type { Waiting } from '../pipeline.ts';

/** A lane that is kept looks by itself this often: a call that came from another process may be lost. */
const lookEveryMs = 500;

/**
 * Calls the workers of this process that keep a lane of a destination, so that what a trigger brought is sent at once. A
 * call is a hint: what is due stands in the ledger.
 */
export class Calls {
  readonly #stop: AbortSignal;
  /** How often each destination was called. */
  readonly #counts = new Map<string, number>();
  readonly #waiting = new Map<string, Set<() => void>>();

  /** @param stop ends all waiting */
  constructor(stop: AbortSignal) {
    this.#stop = stop;
    stop.addEventListener('abort', () => {
      for (const destination of this.#waiting.keys()) this.call(destination);
    });
  }

  call(destination: string): void {
    this.#counts.set(destination, this.#count(destination) + 1);
    for (const wake of this.#waiting.get(destination) ?? []) wake();
  }

  /** For one turn of a lane. */
  waiting(destination: string): Waiting {
    return {
      listen: () => {
        const heard = this.#count(destination);
        return () => (this.#count(destination) === heard ? this.#wait(destination) : Promise.resolve());
      },
    };
  }

  #count(destination: string): number {
    return this.#counts.get(destination) ?? 0;
  }

  async #wait(destination: string): Promise<void> {
    if (this.#stop.aborted) return;
    const waiting = this.#waiting.get(destination) ?? new Set();
    this.#waiting.set(destination, waiting);
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, lookEveryMs);
      waiting.add(wake);
    });
  }
}
