import { remark } from './output.ts';

export interface Stopping {
  /** Raised by the first SIGTERM or SIGINT. */
  signal: AbortSignal;
  /** Signals end the process again as usual. */
  forget(): void;
}

/**
 * The first SIGTERM or SIGINT asks to finish in order, the second ends the process at once, with the exit code that
 * the signal has by convention. What is cut off is found in the ledger by the next process.
 */
export function untilStopped(): Stopping {
  const stopping = new AbortController();
  const listener = (name: NodeJS.Signals): void => {
    if (stopping.signal.aborted) process.exit(name === 'SIGINT' ? 130 : 143);
    remark(`${name}: finishing what is under way; once more to stop at once`);
    stopping.abort();
  };
  process.on('SIGTERM', listener);
  process.on('SIGINT', listener);
  return {
    signal: stopping.signal,
    forget: () => {
      process.off('SIGTERM', listener);
      process.off('SIGINT', listener);
    },
  };
}

/** Waits for the signal; never ends when it was raised already. */
export function raised(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
