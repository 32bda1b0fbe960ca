import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for a fact; one that never comes true fails, by its name. */
export async function until(
  what: string,
  fact: () => Promise<boolean> | boolean,
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await fact())) {
    assert.ok(performance.now() < deadline, `never: ${what}`);
    await sleep(20);
  }
}
