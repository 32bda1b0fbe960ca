import type { Project } from '../config/model.ts';
import type { Log } from '../log.ts';
import { type Queryable, queries } from '../store/queries.ts';
import { readHealth, type Trouble } from './health.ts';
import { Repeated } from './repeated.ts';

const sql = queries('watch');

const lookEveryMs = 30_000;
/** Rows of killed processes are kept for this long. */
const rememberSeconds = 3_600;

/** Tells the log what does not mend itself: once when it is found, once when it is over. */
export class Watch {
  readonly #project: Project;
  readonly #ledger: Queryable;
  readonly #log: Log;
  readonly #looking: Repeated;
  readonly #startedAt = performance.now();
  readonly #told = new Map<string, Trouble>();

  constructor(project: Project, ledger: Queryable, log: Log) {
    this.#project = project;
    this.#ledger = ledger;
    this.#log = log;
    this.#looking = new Repeated(lookEveryMs, log, 'could not look after polls and actions', () =>
      this.look(),
    );
  }

  start(): void {
    this.#looking.start(lookEveryMs);
  }

  stop(): Promise<void> {
    return this.#looking.stop();
  }

  /** Looks now. */
  async look(): Promise<void> {
    await sql.run(this.#ledger, 'forget_silent', { seconds: rememberSeconds });
    const { troubles, signals } = await readHealth(this.#ledger, this.#project);
    const upMs = performance.now() - this.#startedAt;
    // While nobody was there nobody could poll; what was missed is being caught up.
    const early = new Set(signals.filter((one) => (one.allowed_ms ?? 0) > upMs).map((one) => one.signal));
    const ours = troubles.filter((one) => one.kind !== 'overdue' || !early.has(one.name));
    const found = new Map(ours.map((one) => [`${one.kind} ${one.name}`, one]));
    for (const [key, trouble] of found) {
      if (!this.#told.has(key))
        this.#log.error({ ...nameOf(trouble), reason: trouble.detail }, words[trouble.kind]);
      this.#told.set(key, trouble);
    }
    for (const [key, trouble] of this.#told) {
      if (found.has(key)) continue;
      this.#told.delete(key);
      this.#log.info(nameOf(trouble), `${words[trouble.kind]}: over`);
    }
  }
}

const words = { overdue: 'schedule stopped', stuck: 'actions stuck' } as const;

function nameOf({ kind, name }: Trouble): Record<string, string> {
  return kind === 'overdue' ? { signal: name } : { destination: name };
}
