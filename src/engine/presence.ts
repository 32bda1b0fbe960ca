import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Log } from '../log.ts';
import { type Queryable, queries } from '../store/queries.ts';
import { packageVersion } from '../version.ts';
import { Repeated } from './repeated.ts';
import type { Role } from './role.ts';

const sql = queries('watch');

/** Who misses five is taken for dead (`alive_processes`), and its lanes go to others. */
const beatMs = 2_000;

/** This process' row among those at work: made at its start, kept fresh, taken away at its end. */
export class Presence {
  /** Resolves once a newer version has migrated the ledger: what this one writes may no longer fit. */
  readonly outdated: Promise<string>;
  readonly #ledger: Queryable;
  readonly #row: { id: string; role: Role; host: string; pid: number; version: string };
  readonly #beating: Repeated;
  #schema: number | undefined;
  #tell: (reason: string) => void = () => {};

  /** Says whose a lane is. Pids repeat, in containers at every start. */
  get id(): string {
    return this.#row.id;
  }

  constructor(ledger: Queryable, role: Role, log: Log) {
    this.#ledger = ledger;
    this.#row = { id: randomUUID(), role, host: hostname(), pid: process.pid, version: packageVersion() };
    this.outdated = new Promise((resolve) => {
      this.#tell = resolve;
    });
    this.#beating = new Repeated(beatMs, log, 'could not say that this process is there', () => this.#beat());
  }

  async start(): Promise<void> {
    await this.#beat();
    this.#beating.start(beatMs);
  }

  async stop(): Promise<void> {
    await this.#beating.stop();
    await sql.run(this.#ledger, 'leave', { id: this.#row.id }).catch(() => {});
  }

  async #beat(): Promise<void> {
    const row = await sql.one<{ schema: number }>(this.#ledger, 'beat', this.#row);
    this.#schema ??= row?.schema;
    if (row && this.#schema !== undefined && row.schema > this.#schema) {
      this.#tell(`a newer Readback has migrated the ledger to version ${row.schema}`);
    }
  }
}
