import { remark } from './output.ts';

export interface Stopping {
  /** Raised by the first SIGTERM or SIGINT, and when a supervisor asks for it or is gone. */
  signal: AbortSignal;
  /** Signals end the process again as usual. */
  forget(): void;
}

/** What a supervisor sends its child. A message, not a signal: a terminal and systemd may signal both of them. */
export const drainMessage = 'drain';

/**
 * The first SIGTERM or SIGINT asks to finish in order, the second ends the process at once, with the exit code that
 * the signal has by convention. What is cut off is found in the ledger by the next process.
 */
export function untilStopped(): Stopping {
  const stopping = new AbortController();
  let signalled = false;
  const stop = (): void => stopping.abort();
  const onSignal = (name: NodeJS.Signals): void => {
    if (signalled) process.exit(name === 'SIGINT' ? 130 : 143);
    signalled = true;
    remark(`${name}: finishing what is under way; once more to stop at once`);
    stop();
  };
  const onMessage = (message: unknown): void => {
    if (message === drainMessage) stop();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('message', onMessage);
  process.on('disconnect', stop);
  // Listening must not keep the process from ending. A supervisor may have gone before anyone listened.
  process.channel?.unref();
  if (process.send && !process.connected) stop();
  return {
    signal: stopping.signal,
    forget: () => {
      process.off('SIGTERM', onSignal);
      process.off('SIGINT', onSignal);
      process.off('message', onMessage);
      process.off('disconnect', stop);
    },
  };
}

/** Waits for the signal; ends at once when it was raised already. */
export function raised(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
