import type pg from 'pg';
import type { Undo } from '../config/undo.ts';
import { ReadbackError } from '../errors.ts';
import { transaction } from '../store/database.ts';
import { type Queryable, queries } from '../store/queries.ts';
import type { Action, Move } from './action.ts';
import { callOff } from './play.ts';
import { type ActionState, moves as allowed, effectlessStates } from './state.ts';

const sql = queries('lanes');

export interface Intent {
  key: string;
  /** Digest of each field's canonical value. */
  sent: Record<string, string>;
  locator: Record<string, string>;
}

/** An action with what is about to be sent for it. */
export interface Sending {
  action: Pick<Action, 'signal' | 'entity' | 'sequence'>;
  intent: Intent;
}

/**
 * How long after its intent was committed a write may begin. A worker that was suspended in between wakes up when another
 * may have proven that nothing was written, and has written it: it must not begin then.
 */
export function intentLifeMs(callTimeoutMs: number): number {
  return Math.min(10_000, callTimeoutMs);
}

/**
 * One lane of a destination, held by one worker. All writes carry the epoch under which it was taken; when another
 * worker has taken the lane since, they write nothing and throw `LEDGER_FENCED`.
 */
export class Lane {
  readonly destination: string;
  readonly lane: number;
  readonly epoch: number;
  /** What the last worker left behind; undefined when it let go and left nothing. */
  takeover: Takeover | undefined;
  readonly #client: pg.Pool;
  /** What a failure here undoes. */
  #undos: readonly Undo[] = [];

  private constructor(client: pg.Pool, destination: string, lane: number, epoch: number) {
    this.#client = client;
    this.destination = destination;
    this.lane = lane;
    this.epoch = epoch;
  }

  /**
   * Takes the lane, unless another process that is alive has it. Actions that were being sent by an earlier holder become
   * `unknown`.
   *
   * @param options `process`: of which the holder is part; it sees to it that two of its turns never have the same lane
   */
  static async take(
    client: pg.Pool,
    destination: string,
    lane: number,
    options: { holder: string; process: string; lagMs: number; undos?: readonly Undo[] },
  ): Promise<Lane | undefined> {
    const { holder, process } = options;
    const taken = await sql.one<Taken>(client, 'take_lane', { destination, lane, holder, process });
    if (!taken) return undefined;
    const held = new Lane(client, destination, lane, taken.epoch);
    held.#undos = options.undos ?? [];
    const adopted = await sql.one<{ adopted: number }>(client, 'adopt_orphans', {
      ...held.#identity,
      lag_seconds: options.lagMs / 1000,
    });
    const orphans = adopted?.adopted ?? 0;
    const from = taken.earlier_holder;
    if (from !== null || orphans > 0)
      held.takeover = { from, orphans, heldMs: Math.round(taken.held_ms ?? 0) };
    return held;
  }

  /** Ends the turn in order: the next worker need not wonder what became of this one. */
  async letGo(): Promise<void> {
    await sql.run(this.#client, 'let_go', this.#identity);
  }

  get #identity(): { destination: string; lane: number; epoch: number } {
    return { destination: this.destination, lane: this.lane, epoch: this.epoch };
  }

  /** What is due now, oldest first. */
  async due(limit: number): Promise<Action[]> {
    const { destination, lane } = this;
    return sql.run<Action>(this.#client, 'due', { destination, lane, limit });
  }

  /** Commits that these are about to be sent. Only the returned keys may be. */
  async commitIntents(wave: readonly Sending[]): Promise<Set<string>> {
    const rows = await sql.run<{ key: string }>(this.#client, 'commit_intents', {
      ...this.#identity,
      signals: wave.map(({ action }) => action.signal),
      entities: wave.map(({ action }) => action.entity),
      sequences: wave.map(({ action }) => action.sequence),
      facts: JSON.stringify(wave.map(({ intent: { sent, locator } }) => [sent, locator])),
    });
    if (rows.length === 0 && wave.length > 0) {
      const lane = await sql.one<{ held: boolean }>(this.#client, 'lane_held', this.#identity);
      if (!lane?.held) throw this.#fenced();
    }
    return new Set(rows.map((row) => row.key));
  }

  /** Records outcomes and verdicts. Several moves of one action, in their order, become one update with an attempt for each. */
  async record(moves: readonly Move[]): Promise<void> {
    if (moves.length === 0) return;
    for (const move of moves) requireAllowed(move);
    const failed = this.#undos.length === 0 ? [] : moves.filter(isEffectless);
    if (failed.length === 0) return this.#record(this.#client, moves);
    await transaction(this.#client, async (client) => {
      await this.#record(client, moves);
      await callOff(client, this.#undos, this.destination, failed);
    });
  }

  async #record(client: Queryable, moves: readonly Move[]): Promise<void> {
    const result = await sql.one<{ held: boolean }>(client, 'record', {
      ...this.#identity,
      ...inColumns(moves),
    });
    if (!result?.held) throw this.#fenced();
  }

  #fenced(): ReadbackError {
    return new ReadbackError('LEDGER_FENCED', `another worker holds ${this.destination}/${this.lane}`, {
      hint: 'Nothing to do: the other worker resolves what this one had begun.',
    });
  }

  /** For actions that follow another destination: the record to work on, and whether one is still on its way. */
  parents(follows: string, actions: readonly Action[]): Promise<Map<string, Parent>> {
    return readParents(this.#client, follows, actions);
  }
}

/** What the ledger knows of the records that actions follow, by action. */
export async function readParents(
  ledger: Queryable,
  follows: string,
  actions: readonly Pick<Action, 'key' | 'signal' | 'entity' | 'sequence'>[],
): Promise<Map<string, Parent>> {
  const rows = await sql.run<Parent & { key: string }>(ledger, 'parents', {
    follows,
    keys: actions.map((action) => action.key),
    signals: actions.map((action) => action.signal),
    entities: actions.map((action) => action.entity),
    sequences: actions.map((action) => action.sequence),
  });
  return new Map(rows.map((row) => [row.key, row]));
}

interface Taken {
  epoch: number;
  earlier_holder: string | null;
  held_ms: number | null;
}

/** A lane whose last worker did not end its turn in order. */
export interface Takeover {
  /** Who held it until now, `pid 4711 on worker-2`; null when it let go without recording every outcome. */
  from: string | null;
  /** Actions it was sending, now in doubt: they are read back before anything else. */
  orphans: number;
  /** Since it had taken the lane. */
  heldMs: number;
}

export interface Parent {
  /** Null also while one is on its way. */
  parent_id: string | null;
  pending: boolean;
  /** Where the followed destination's newest action of the entity ended; null: there never was one. */
  last_state: ActionState | null;
}

function isEffectless({ state }: Move): boolean {
  return effectlessStates.some((one) => one === state);
}

function requireAllowed(move: Move): void {
  if (move.state !== move.source && !allowed[move.source].includes(move.state)) {
    throw new Error(`an action cannot go from ${move.source} to ${move.state} (${move.key})`);
  }
}

/** Where the moves of one action lead, in all. */
interface Way {
  first: Move;
  last: Move;
  externalId: string | null;
  acceptedAgoMs: number | null;
  /** Numbers of its calls, in their order. */
  calls: number[];
}

/**
 * The moves that one action makes at once are one update, with an attempt for each call. Most actions of a batch differ
 * in nothing but their entities: what they share is said once, and is kept once. Entities travel as an array because the
 * planner takes JSON for 10,000 rows and then reads the whole table.
 */
function inColumns(moves: readonly Move[]) {
  const now = performance.now();
  const ways = new Map<string, Way>();
  const calls = new Numbered();
  for (const move of moves) {
    const { key, call, outcome, decision, reason } = move;
    const way = ways.get(key) ?? {
      first: move,
      last: move,
      externalId: null,
      acceptedAgoMs: null,
      calls: [],
    };
    ways.set(key, way);
    way.last = move;
    way.externalId = move.external_id ?? way.externalId;
    if (!call) continue;
    const agoMs = Math.round(now - call.at);
    if (move.accepted) way.acceptedAgoMs = agoMs;
    way.calls.push(calls.number(call.kind, agoMs, call.duration_ms, outcome, decision, reason));
  }
  const steps = new Numbered();
  const stepNumbers: number[] = [];
  const entities: string[] = [];
  const sequences: number[] = [];
  const externalIds: (string | null)[] = [];
  for (const way of ways.values()) {
    const { source, signal, entity, sequence } = way.first;
    const { state, due_in_ms, settled, reason, attempts, corrections, absences, unread, generation } =
      way.last;
    const leads = [source, way.acceptedAgoMs, state, due_in_ms, settled, reason];
    const counts = [attempts, corrections, absences, unread, generation];
    stepNumbers.push(steps.number(...leads, ...counts, way.last.stopped_by, way.calls, signal));
    entities.push(entity);
    sequences.push(sequence);
    externalIds.push(way.externalId);
  }
  return {
    entities,
    sequences: plainArray(sequences),
    external_ids: externalIds,
    step_numbers: plainArray(stepNumbers),
    steps: steps.json,
    calls: calls.json,
  };
}

/** Facts that many share, each list of them kept once under a number. */
class Numbered {
  readonly #numbers = new Map<string, number>();
  #last: { facts: readonly unknown[]; number: number } | undefined;

  number(...facts: unknown[]): number {
    // Those of one batch are the same and come one after the other.
    if (this.#last?.facts.every((fact, at) => fact === facts[at])) return this.#last.number;
    const text = JSON.stringify(facts);
    const number = this.#numbers.get(text) ?? this.#numbers.size + 1;
    this.#numbers.set(text, number);
    this.#last = { facts, number };
    return number;
  }

  /** A list in the order of the numbers, from 1. */
  get json(): string {
    return `[${[...this.#numbers.keys()].join(',')}]`;
  }
}

/** Numbers as Postgres reads an array: pg would look at every one for what needs quoting. */
function plainArray(values: readonly number[]): string {
  return `{${values.join(',')}}`;
}
