/** A limit of requests in any window of time; a request counts whether it is let through or not. */
export class Window {
  readonly requests: number;
  readonly perMs: number;
  readonly #times: number[] = [];
  #oldest = 0;

  constructor({ requests, perMs }: { requests: number; perMs: number }) {
    this.requests = requests;
    this.perMs = perMs;
  }

  /** Counts a request; the milliseconds until one would fit again when this one does not, else 0. */
  count(now: number): number {
    while ((this.#times[this.#oldest] ?? now) <= now - this.perMs) this.#oldest += 1;
    if (this.#oldest > 10_000) {
      this.#times.splice(0, this.#oldest);
      this.#oldest = 0;
    }
    this.#times.push(now);
    const excess = this.#times.length - this.#oldest - this.requests;
    if (excess <= 0) return 0;
    return Math.max(1, (this.#times[this.#oldest + excess] ?? now) + this.perMs - now);
  }
}
