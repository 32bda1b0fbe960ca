import type { RateLimit } from '../config/model.ts';

/** How full the vendor's window is after this request; `limit` is what is in force. */
export interface Budget {
  limit: RateLimit;
  remaining: number;
  /** When the next request will pass; 0 when one would pass now. */
  retryAfterMs: number;
}

/** At most `requests` in any window of `perMs`; a refused request does not count. */
export class RollingWindow {
  readonly #limit: RateLimit;
  readonly #admitted: number[] = [];

  constructor(limit: RateLimit) {
    this.#limit = limit;
  }

  admit(now: number): Budget & { admitted: boolean } {
    const { requests, perMs } = this.#limit;
    while ((this.#admitted[0] ?? Number.POSITIVE_INFINITY) <= now - perMs) this.#admitted.shift();
    const admitted = this.#admitted.length < requests;
    if (admitted) this.#admitted.push(now);
    const remaining = requests - this.#admitted.length;
    const retryAfterMs = remaining > 0 ? 0 : (this.#admitted[0] ?? now) + perMs - now;
    return { admitted, limit: this.#limit, remaining, retryAfterMs };
  }
}
