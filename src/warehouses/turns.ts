import type { Deadline } from './deadline.ts';

/** At most so many operations at one time; the others wait in order, each until its own deadline. */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#free = most;
  }

  /** @returns what ends the turn; call it once */
  async take(deadline: Deadline): Promise<() => void> {
    deadline.check();
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait(deadline);
    return () => this.#give();
  }

  async #wait(deadline: Deadline): Promise<void> {
    let mine = (): void => {};
    const turn = new Promise<void>((resolve) => {
      mine = resolve;
    });
    this.#waiting.push(mine);
    try {
      await deadline.race(turn);
    } catch (error) {
      const at = this.#waiting.indexOf(mine);
      if (at >= 0) this.#waiting.splice(at, 1);
      // It came in the same moment; the next one has it.
      else this.#give();
      throw error;
    }
  }

  #give(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free += 1;
  }
}
