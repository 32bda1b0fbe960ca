/**
 * Wait before attempt `attempt + 1`: exponential with full jitter, the form that spreads a herd best with the least
 * total work (Brooker, "Exponential Backoff And Jitter", 2015).
 *
 * @param attempt attempts made so far, from 1
 * @param random a number in [0, 1)
 * @returns milliseconds, at least a tenth of the ceiling so that a retry is never immediate
 */
export function backoffMs(attempt: number, random: number = Math.random()): number {
  const ceiling = Math.min(capMs, baseMs * 2 ** Math.min(attempt - 1, 20));
  return Math.round(ceiling * (0.1 + 0.9 * random));
}

const baseMs = 2_000;
const capMs = 10 * 60_000;
