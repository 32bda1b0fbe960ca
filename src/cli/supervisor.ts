import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodes } from './exit.ts';
import { remark } from './output.ts';
import { drainMessage } from './stop.ts';

/** How often a child may crash before its supervisor gives up. */
export interface Budget {
  restarts: number;
  withinMs: number;
  /** The first pause; each further crash within the time doubles it. */
  pauseMs: number;
}

const usual: Budget = { restarts: 5, withinMs: 600_000, pauseMs: 1_000 };

/** Exit codes after which the same would happen again. */
const final: readonly number[] = [exitCodes.done, exitCodes.wrongInput];

/**
 * Keeps a command running: whatever ends it but its own will, it is started again, with growing pauses, until the budget
 * is used up. SIGTERM and SIGINT make it drain; a second one kills it, which the ledger survives. The child notices by
 * its channel when the supervisor itself is gone, and drains.
 *
 * @returns the child's exit code
 */
export async function supervise([file = '', ...words]: string[], budget: Budget = usual): Promise<number> {
  const stopping = new AbortController();
  let child: ChildProcess | undefined;
  const onSignal = (): void => {
    if (stopping.signal.aborted) child?.kill('SIGKILL');
    else if (child?.connected) child.send(drainMessage);
    stopping.abort();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  const crashes: number[] = [];
  try {
    for (;;) {
      child = spawn(file, words, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
      const exitCode = await ended(child);
      if (stopping.signal.aborted || final.includes(exitCode)) return exitCode;
      const now = performance.now();
      crashes.push(now);
      while ((crashes[0] ?? now) < now - budget.withinMs) crashes.shift();
      if (crashes.length > budget.restarts) {
        remark(
          `supervisor: gave up after ${budget.restarts} restarts within ${budget.withinMs / 60_000} min; it ended with exit code ${exitCode}`,
        );
        return exitCode;
      }
      const pauseMs = budget.pauseMs * 2 ** (crashes.length - 1);
      remark(
        `supervisor: pid ${child.pid} ended with exit code ${exitCode}; starting again in ${pauseMs / 1000} s (${crashes.length} of ${budget.restarts})`,
      );
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return exitCodes.done;
    }
  } finally {
    process.off('SIGTERM', onSignal);
    process.off('SIGINT', onSignal);
  }
}

/** The exit code; of a signal the one that shells give it. */
function ended(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}
