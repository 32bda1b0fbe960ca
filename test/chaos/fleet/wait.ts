import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits for a fact. A fact that cannot be asked for now (a server restarting) counts as not yet.
 *
 * @throws when it never comes true
 */
export async function until(
  what: string,
  fact: () => boolean | Promise<boolean>,
  { deadlineMs = 60_000, everyMs = 200 } = {},
): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    if (await Promise.resolve(fact()).catch(() => false)) return;
    if (performance.now() > deadline) throw new Error(`never within ${deadlineMs / 1000} s: ${what}`);
    await sleep(everyMs);
  }
}
