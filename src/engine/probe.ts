import { hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Signal, Trigger } from '../config/model.ts';
import type { Log } from '../log.ts';
import type { Warehouse } from '../warehouses/warehouse.ts';

export interface Probing {
  open(): Promise<Warehouse>;
  changed(): void;
  log: Log;
  until: AbortSignal;
}

/** Asks a signal's probe again and again, and tells when its answer is another. The first answer is only remembered. */
export async function askProbe(
  signal: Signal,
  probe: NonNullable<Trigger['probe']>,
  { open, changed, log, until }: Probing,
): Promise<void> {
  let last: string | undefined;
  let failing = false;
  while (!until.aborted) {
    try {
      const answer = await ask(await open(), probe.sql, signal.timeoutMs, until);
      if (last !== undefined && last !== answer) changed();
      last = answer;
      failing = false;
    } catch (error) {
      if (!failing && !until.aborted)
        log.warn({ signal: signal.name, error: (error as Error).message }, 'the probe failed');
      failing = true;
    }
    await sleep(probe.everyMs, undefined, { signal: until }).catch(() => {});
  }
}

/** A digest: the answer itself is nobody's business. */
async function ask(warehouse: Warehouse, sql: string, timeoutMs: number, stop: AbortSignal): Promise<string> {
  let answer = '';
  for await (const batch of warehouse.read({ sql, params: [] }, { timeoutMs, signal: stop }))
    answer = hash('sha256', answer + JSON.stringify(batch), 'hex');
  return answer;
}
