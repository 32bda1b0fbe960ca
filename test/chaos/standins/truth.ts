import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { now } from './clock.ts';
import type { FaultKind } from './faults.ts';
import type { Mark } from './mark.ts';

export type TruthEvent = { desk: string; request: number } & (
  | { event: 'request'; method: string; path: string; entities: string[] }
  | {
      event: 'applied';
      record: string;
      entity: string | null;
      version: number | null;
      token: string | null;
      key: string | null;
      /** the record of another desk that it names */
      refers: string | null;
      /** it takes back what an earlier write made */
      undoes: boolean;
      late: boolean;
    }
  | {
      event: 'answered';
      status: number;
      fault: FaultKind | null;
      /** The writes this answer refused and named, or that were alone in their request. */
      refused: Mark[];
    }
  | { event: 'limited' }
);

/** Lines gathered before they go to the file: 100,000 actions make about 500,000 of them. */
const bufferLength = 65_536;
const flushEveryMs = 100;

/** What really happened, one JSON object a line, in order. */
export class Truth {
  readonly #file: number;
  #lines = '';
  readonly #timer: NodeJS.Timeout;

  constructor(path: string) {
    this.#file = openSync(path, 'a');
    this.#timer = setInterval(() => this.#write(), flushEveryMs).unref();
  }

  add(event: TruthEvent): void {
    this.#lines += `${JSON.stringify({ at: now(), ...event })}\n`;
    if (this.#lines.length > bufferLength) this.#write();
  }

  /** All that was added is on disk when this returns. */
  flush(): void {
    this.#write();
    fsyncSync(this.#file);
  }

  close(): void {
    clearInterval(this.#timer);
    this.flush();
    closeSync(this.#file);
  }

  #write(): void {
    const bytes = Buffer.from(this.#lines);
    this.#lines = '';
    for (let written = 0; written < bytes.length; ) written += writeSync(this.#file, bytes, written);
  }
}
