import { setTimeout as sleep } from 'node:timers/promises';

interface Held {
  xid: number;
  tell: () => void;
}

/** A transaction that waits for a synchronous standby may stay invisible for longer. */
const lookAgainMs = 1;

/**
 * Holds back what is told of a transaction until others can see what it wrote. The replication stream brings a commit once
 * it is on disk, which is before the server lets new snapshots see it: of 460 rows that were looked at at once, one to four
 * were not there yet.
 */
export class UntilVisible {
  readonly #snapshot: () => Promise<string>;
  readonly #failed: (error: Error) => void;
  #held: Held[] = [];
  #asking = false;

  /** @param snapshot what `pg_current_snapshot()` says now */
  constructor(snapshot: () => Promise<string>, failed: (error: Error) => void) {
    this.#snapshot = snapshot;
    this.#failed = failed;
  }

  get empty(): boolean {
    return this.#held.length === 0;
  }

  /** Calls `tell` once the transaction can be seen; in the order of commits. */
  hold(xid: number, tell: () => void): void {
    this.#held.push({ xid, tell });
    if (!this.#asking) void this.#ask().catch(this.#failed);
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    while (this.#held.length > 0) {
      const asked = this.#held.length;
      const visible = visibleIn(await this.#snapshot());
      const first = this.#held.slice(0, asked).findIndex(({ xid }) => !visible(xid));
      const seen = this.#held.splice(0, first === -1 ? asked : first);
      for (const { tell } of seen) tell();
      if (seen.length === 0) await sleep(lookAgainMs);
    }
    this.#asking = false;
  }
}

/** Reads `xmin:xmax:xip,…`. Those numbers have 64 bits, those of the stream the lower 32 of them. */
export function visibleIn(snapshot: string): (xid: number) => boolean {
  const [, end = '0', running = ''] = snapshot.split(':');
  const low = (text: string): number => Number(BigInt.asUintN(32, BigInt(text)));
  const next = low(end);
  const inProgress = new Set(running.split(',').filter(Boolean).map(low));
  // In a circle: half of all numbers are before any, half after.
  return (xid) => ((xid - next) | 0) < 0 && !inProgress.has(xid);
}
