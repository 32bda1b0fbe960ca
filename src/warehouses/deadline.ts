import { ReadbackError } from '../errors.ts';
import type { ReadOptions } from './warehouse.ts';

/** The client's own end of an operation: its time is up, or its caller gave up. Dispose of it when done. */
export class Deadline {
  readonly #endsAt: number;
  readonly #timer: NodeJS.Timeout;
  readonly #signal: AbortSignal | undefined;
  readonly #listeners = new Set<(failure: ReadbackError) => void>();
  #failure: ReadbackError | undefined;

  constructor({ signal, timeoutMs }: ReadOptions) {
    this.#endsAt = performance.now() + timeoutMs;
    this.#timer = setTimeout(() => this.#stop(pastDeadline(timeoutMs)), timeoutMs);
    this.#signal = signal;
    if (signal?.aborted) this.#cancel();
    else signal?.addEventListener('abort', this.#cancel, { once: true });
  }

  get failure(): ReadbackError | undefined {
    return this.#failure;
  }

  get remainingMs(): number {
    return Math.max(0, this.#endsAt - performance.now());
  }

  /** Throws when the time is up or the caller gave up. */
  check(): void {
    if (this.#failure) throw this.#failure;
  }

  /** Calls back once when the operation must stop; at once when that has happened already. */
  onStop(listener: (failure: ReadbackError) => void): void {
    if (this.#failure) listener(this.#failure);
    else this.#listeners.add(listener);
  }

  /** The outcome of `work`, or the failure as soon as the operation must stop. */
  async race<T>(work: Promise<T>): Promise<T> {
    let stopped = (_: ReadbackError): void => {};
    const stop = new Promise<never>((_, reject) => {
      stopped = reject;
    });
    work.catch(() => {});
    stop.catch(() => {});
    this.onStop(stopped);
    try {
      return await Promise.race([work, stop]);
    } finally {
      this.#listeners.delete(stopped);
    }
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#cancel);
    this.#listeners.clear();
  }

  #cancel = (): void => this.#stop(new ReadbackError('WAREHOUSE_QUERY', 'the query was cancelled'));

  #stop(failure: ReadbackError): void {
    if (this.#failure) return;
    this.#failure = failure;
    for (const listener of this.#listeners) listener(failure);
    this.#listeners.clear();
  }
}

/** The same words whether the server or the client noticed first. */
export function pastDeadline(timeoutMs: number, cause?: unknown): ReadbackError {
  return new ReadbackError('WAREHOUSE_QUERY', `the query ran past its deadline of ${timeoutMs} ms`, {
    hint: 'make the query cheaper, or raise `timeout` in the signal’s header',
    cause,
  });
}
