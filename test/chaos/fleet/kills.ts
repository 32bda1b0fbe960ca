import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from '../figures.ts';
import { draw, drawOne } from '../random.ts';
import type { Process, Product, Role } from './product.ts';

export type Kill = { pid: number; at: number };

/** What can be killed and started again. */
export type Herd = {
  processes: ReadonlySet<Process>;
  start(role: Role): Promise<Process>;
};

/** Kills a random process of the product every now and then, and starts another one of its role at once. */
export class KillStorm {
  readonly kills: Kill[] = [];
  readonly #herd: Herd;
  readonly #seed: number;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(herd: Herd, seed: number) {
    this.#herd = herd;
    this.#seed = seed;
  }

  start(everyMs: { least: number; most: number }): void {
    this.#running = this.#loop(everyMs);
    // What goes wrong is told by `stop`.
    this.#running.catch(() => {});
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #loop({ least, most }: { least: number; most: number }): Promise<void> {
    const { signal } = this.#stopping;
    for (let turn = 0; ; turn += 1) {
      const pauseMs = least + draw(this.#seed, 'pause', turn) * (most - least);
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      const alive = [...this.#herd.processes].filter((one) => one.alive);
      if (alive.length === 0) throw new Error('no process is left to kill');
      await this.#kill(drawOne(alive, this.#seed, 'victim', turn));
    }
  }

  async #kill(victim: Process): Promise<void> {
    this.kills.push({ pid: victim.pid, at: Date.now() });
    victim.signal('SIGKILL');
    await victim.ended;
    await this.#herd.start(victim.role);
  }
}

/** From the kill of a lane's holder to the moment somebody else has the lane, as the log tells it; null of none. */
export async function pickupMs(
  product: Product,
  kills: readonly Kill[],
): Promise<{ p50: number; p99: number } | null> {
  const delays: number[] = [];
  for await (const line of product.logLines()) {
    if (line.msg !== 'lane taken over') continue;
    const pid = Number(/\d+/.exec(String(line.from))?.[0]);
    const at = Date.parse(line.time);
    const kill = kills.findLast((one) => one.pid === pid && one.at <= at);
    if (kill) delays.push(at - kill.at);
  }
  if (delays.length === 0) return null;
  return { p50: percentile(delays, 0.5), p99: percentile(delays, 0.99) };
}
