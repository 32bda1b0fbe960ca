import type { RateLimit } from '../config/model.ts';
import { type Queryable, queries } from '../store/queries.ts';

const sql = queries('connections');

/** A limit of more calls than this is kept as so many permits for several calls each: the row stays below 4 kB. */
const mostPermits = 500;
/** A drawn permit must be used within this time, else it goes back. */
const lifeMs = 500;
/** Two clocks, the vendor's and the database's, may run apart by this much: twice what NTP corrects at most. */
const clockTolerance = 0.001;
/** A rested connection lets this share of its limit out at once, and the rest this much faster than the limit. */
const burstShare = 0.1;
const haste = 1.1;

/** A vendor's limit as permits, each good for `calls` calls in a window. */
export interface Budget {
  permits: number;
  calls: number;
  burst: number;
  paceSeconds: number;
  windowSeconds: number;
  holdSeconds: number;
}

/** @param callTimeoutMs deadline of one call: answered or not, the vendor has counted it by then */
export function budgetOf({ requests, perMs }: RateLimit, callTimeoutMs: number): Budget {
  const calls = Math.ceil(requests / mostPermits);
  const permits = Math.floor(requests / calls);
  const windowSeconds = (perMs / 1000) * (1 + clockTolerance);
  return {
    permits,
    calls,
    burst: Math.max(1, Math.floor(permits * burstShare)),
    paceSeconds: perMs / 1000 / permits / haste,
    windowSeconds,
    holdSeconds: (lifeMs + callTimeoutMs) / 1000 + windowSeconds,
  };
}

/** What one worker process holds of a permit. */
export interface Permit {
  number: number;
  heldUntil: string;
  /** On the monotonic clock. */
  usableUntil: number;
  left: number;
  underway: number;
  used: boolean;
}

/** The permits in one process' hands: drawn, perhaps in use, not yet given back. */
export class Hand {
  readonly #client: Queryable;
  readonly #connection: string;
  readonly #budget: Budget;
  #permits: Permit[] = [];
  #done: Permit[] = [];
  #returning = false;

  constructor(client: Queryable, connection: string, budget: Budget) {
    this.#client = client;
    this.#connection = connection;
    this.#budget = budget;
  }

  add(numbers: readonly number[], heldUntil: string, drawnAt: number, calls: number): void {
    if (numbers.length === 0) return;
    const usableUntil = drawnAt + lifeMs;
    const added = numbers.map((number) => ({
      number,
      heldUntil,
      usableUntil,
      left: calls,
      underway: 0,
      used: false,
    }));
    this.#permits.push(...added);
    setTimeout(() => this.#discard(added), usableUntil - performance.now()).unref();
  }

  /** One that a call could be made on now. */
  next(): Permit | undefined {
    return this.#permits.find((permit) => performance.now() < permit.usableUntil);
  }

  /** A call is about to be made. The answer to it is to be told. */
  use(permit: Permit): () => void {
    permit.left -= 1;
    permit.underway += 1;
    permit.used = true;
    if (permit.left === 0) this.#permits = this.#permits.filter((one) => one !== permit);
    let told = false;
    return () => {
      if (told) return;
      told = true;
      permit.underway -= 1;
      this.#settle(permit);
    };
  }

  /** No further call may be made on what is in hand. */
  empty(): void {
    this.#discard([...this.#permits]);
  }

  #discard(permits: readonly Permit[]): void {
    const unused = permits.filter((permit) => permit.left > 0);
    for (const permit of unused) permit.left = 0;
    this.#permits = this.#permits.filter((permit) => permit.left > 0);
    for (const permit of unused) this.#settle(permit);
  }

  #settle(permit: Permit): void {
    if (permit.left > 0 || permit.underway > 0) return;
    this.#done.push(permit);
    if (!this.#returning) void this.#giveBack();
  }

  /** One statement at a time; what is done meanwhile goes with the next. What cannot be given back frees itself later. */
  async #giveBack(): Promise<void> {
    this.#returning = true;
    for (let done = this.#done.splice(0); done.length > 0; done = this.#done.splice(0)) {
      await sql
        .run(this.#client, 'give_back', {
          connection: this.#connection,
          numbers: done.map((permit) => permit.number),
          held_until: done.map((permit) => permit.heldUntil),
          used: done.map((permit) => permit.used),
          window_seconds: this.#budget.windowSeconds,
          now: null,
        })
        .catch(() => {});
    }
    this.#returning = false;
  }
}
