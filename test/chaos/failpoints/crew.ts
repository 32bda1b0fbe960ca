import { setTimeout as sleep } from 'node:timers/promises';
import type { Process, Product, Role } from '../fleet/product.ts';
import type { Failpoints } from './failpoints.ts';

/**
 * Two leases: a worker that has been silent for so long has been given up by the others, who have done its work. A lease
 * is five missed beats (10 s).
 */
export const stopMs = 20_000;

/** Keeps so many processes of the product at work: replaces the dead, continues the stopped after two leases. */
export class Crew {
  kills = 0;
  stops = 0;
  readonly #product: Product;
  readonly #failpoints: Failpoints;
  readonly #members = new Set<Process>();
  readonly #stopped = new Map<number, number>();
  #known = 0;
  #ending = false;
  #watching: Promise<void> | undefined;

  constructor(product: Product, failpoints: Failpoints) {
    this.#product = product;
    this.#failpoints = failpoints;
  }

  async start(roles: readonly Role[]): Promise<void> {
    for (const role of roles) this.#members.add(await this.#product.start(role));
    this.#watching = this.#watch();
  }

  get members(): readonly Process[] {
    return [...this.#members];
  }

  /** Processes that are stopped now. */
  get waiting(): number {
    return this.#stopped.size;
  }

  /** Takes a process out, so that its end is not an accident. */
  dismiss(member: Process): void {
    this.#members.delete(member);
  }

  async add(role: Role): Promise<void> {
    this.#members.add(await this.#product.start(role));
  }

  /** No more is replaced; the processes stay as they are. */
  async end(): Promise<void> {
    this.#ending = true;
    await this.#watching;
    for (const pid of this.#stopped.keys()) process.kill(pid, 'SIGCONT');
  }

  async #watch(): Promise<void> {
    while (!this.#ending) {
      await this.#look();
      await sleep(100);
    }
  }

  async #look(): Promise<void> {
    const hits = await this.#failpoints.hits();
    for (const { cell, pid } of hits.slice(this.#known)) {
      if (!cell.includes('-stop-')) continue;
      this.stops += 1;
      this.#stopped.set(pid, performance.now() + stopMs);
    }
    this.#known = hits.length;
    for (const [pid, until] of this.#stopped) {
      if (performance.now() < until) continue;
      this.#stopped.delete(pid);
      process.kill(pid, 'SIGCONT');
    }
    for (const member of this.#members) {
      if (member.alive) continue;
      this.#members.delete(member);
      this.kills += 1;
      this.#members.add(await this.#product.start(member.role));
    }
  }
}
