import type { Action } from './action.ts';

/** What a lane's holder works on while it looks for more. */
export class UnderWay {
  readonly #keys = new Set<string>();
  readonly #works = new Set<Promise<void>>();
  #failure: { error: unknown } | undefined;
  #usable = true;

  /** Actions in hand. */
  get size(): number {
    return this.#keys.size;
  }

  /** False once something has failed, or its connection may not be used for now: nothing more is to begin. */
  get usable(): boolean {
    return this.#usable;
  }

  /** Those that are not in hand already. */
  without(due: readonly Action[]): Action[] {
    return due.filter(({ key }) => !this.#keys.has(key));
  }

  /** @param work answers whether the connection may still be used */
  begin(actions: readonly Action[], work: () => Promise<boolean>): void {
    for (const { key } of actions) this.#keys.add(key);
    const working = this.#carryOut(actions, work).finally(() => this.#works.delete(working));
    this.#works.add(working);
  }

  /** Until one has ended; never, when there is none. */
  async next(): Promise<void> {
    await Promise.race(this.#works);
  }

  /** Until all have ended. @throws what the first that failed threw */
  async all(): Promise<void> {
    await Promise.all(this.#works);
    if (this.#failure) throw this.#failure.error;
  }

  async #carryOut(actions: readonly Action[], work: () => Promise<boolean>): Promise<void> {
    try {
      if (!(await work())) this.#usable = false;
    } catch (error) {
      this.#usable = false;
      this.#failure ??= { error };
    } finally {
      for (const { key } of actions) this.#keys.delete(key);
    }
  }
}
