import { setTimeout as sleep } from 'node:timers/promises';
import { type OpenWork, openWork } from '../ledger/commands.ts';
import type { Queryable } from '../store/queries.ts';

const lookEveryMs = 250;

export interface Waiting {
  signals: readonly string[];
  waitMs: number;
  /** Told at every look: actions still open. */
  onLook?(open: number): void;
  stop?: AbortSignal;
}

/**
 * Waits until nothing of these signals is under way, or nothing can move before the wait is over: everything open is
 * due later, or its connection rests longer (a breaker after wrong credentials opens for minutes).
 *
 * @returns what is still open
 */
export async function settle(
  ledger: Queryable,
  { signals, waitMs, onLook, stop }: Waiting,
): Promise<OpenWork[]> {
  const until = performance.now() + waitMs;
  for (;;) {
    const work = await openWork(ledger, signals);
    onLook?.(work.reduce((sum, one) => sum + one.open, 0));
    const leftMs = until - performance.now();
    const movable = work.some((one) => Math.max(one.next_in_ms, one.rests_ms) < leftMs);
    if (!movable || stop?.aborted) return work;
    await sleep(lookEveryMs, undefined, stop ? { signal: stop } : {}).catch(() => {});
  }
}
