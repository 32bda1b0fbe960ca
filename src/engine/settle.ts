import { setTimeout as sleep } from 'node:timers/promises';
import { type Queryable, queries } from '../store/queries.ts';

const sql = queries('lanes');

/** How often the ledger is asked; also how often `onProgress` hears of it. */
const lookEveryMs = 200;

export interface SettleOptions {
  destinations: readonly string[];
  timeoutMs: number;
  signal?: AbortSignal;
  onProgress?(open: number): void;
}

/**
 * Waits until no action of these destinations is open any more.
 *
 * @returns how many still are: 0, or more when the time is up or the next of them is due only after it
 */
export async function settle(ledger: Queryable, options: SettleOptions): Promise<number> {
  const until = performance.now() + options.timeoutMs;
  for (;;) {
    const state = await sql.one<{ open: number; next_in_ms: string | null }>(ledger, 'open_count', {
      destinations: options.destinations,
    });
    const open = state?.open ?? 0;
    options.onProgress?.(open);
    const left = until - performance.now();
    if (open === 0 || left <= 0 || Number(state?.next_in_ms ?? 0) > left || options.signal?.aborted)
      return open;
    await sleep(Math.min(lookEveryMs, left), undefined, { signal: options.signal }).catch(() => {});
  }
}
