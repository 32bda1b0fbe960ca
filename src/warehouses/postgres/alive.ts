/**
 * Lives until `stop` is raised; throws what `begin` throws, or what it tells `lost` at any time later.
 */
export async function alive(
  stop: AbortSignal,
  begin: (lost: (error: Error) => void) => Promise<void>,
): Promise<void> {
  let onStop = (): void => {};
  try {
    await new Promise<void>((resolve, reject) => {
      onStop = resolve;
      stop.addEventListener('abort', onStop);
      if (stop.aborted) resolve();
      else begin(reject).catch(reject);
    });
  } finally {
    stop.removeEventListener('abort', onStop);
  }
}
