import assert from 'node:assert/strict';
import type pg from 'pg';
import type { Destination, Signal } from '../../src/config/model.ts';
import { ReadbackError } from '../../src/errors.ts';
import { endedCall, type Move, move } from '../../src/ledger/action.ts';
import { findDeadLetters, pause, resume, retryDeadLetters } from '../../src/ledger/commands.ts';
import type { Lane } from '../../src/ledger/lane.ts';
import { type ActionState, deadLetterStates, inFlightStates, moves } from '../../src/ledger/state.ts';
import { checkBalance } from '../../src/report/balance.ts';
import { transaction } from '../../src/store/database.ts';
import { takeLane } from '../helpers/lane.ts';
import type { Polled, Scores, Trouble } from './polled.ts';

/** What must be so whatever happened: kept by hand, to be held against the ledger. */
export interface Model {
  /** The set as the last committed poll told it. */
  members: ReadonlyMap<string, number>;
  /** By destination: how many actions the committed polls must have planned. */
  detected: Map<string, number>;
  /** Who took each lane last. */
  holders: Map<string, number>;
}

interface Row {
  key: string;
  destination: string;
  entity: string;
  sequence: string;
  state: ActionState;
}

/** A worker with a lane in its hand, which another may have taken since. */
interface Worker {
  number: number;
  lane: Lane;
  place: string;
}

/** Only a commit of intents sends; only pause, resume and polls do the others. */
const notRecorded: readonly ActionState[] = ['sending', 'planned', 'held', 'superseded'];

/** The real ledger of one signal and two destinations, and everything that can happen to it. */
export class LedgerUnderTest {
  readonly model: Model = { members: new Map(), detected: new Map(), holders: new Map() };
  readonly #polled: Polled;
  readonly #pool: pg.Pool;
  readonly #table: string;
  readonly #signal: Signal;
  readonly #destinations: readonly Destination[];
  #workers: Worker[] = [];
  #count = 0;
  #before = new Map<string, Row>();

  constructor(polled: Polled, table: string, signal: Signal, destinations: readonly Destination[]) {
    this.#polled = polled;
    this.#pool = polled.ledger.pool;
    this.#table = table;
    this.#signal = signal;
    this.#destinations = destinations;
  }

  async poll(scores: Scores, trouble: Trouble): Promise<void> {
    await this.#polled.fill(this.#table, scores);
    const told = transitionsBetween(this.model.members, scores);
    const died = trouble === 'crash' && told.length > 0;
    const polling = this.#polled.poll(this.#signal, this.#destinations, trouble);
    if (died) {
      await assert.rejects(polling, /before the commit/);
      return;
    }
    await polling;
    this.model.members = scores;
    for (const { name, on } of this.#destinations) {
      const more = told.filter((transition) => on.includes(transition)).length;
      this.model.detected.set(name, (this.model.detected.get(name) ?? 0) + more);
    }
  }

  async take(destination: number): Promise<void> {
    const { name } = this.#destinations[destination % this.#destinations.length] as Destination;
    const number = ++this.#count;
    const held = await takeLane(this.#pool, name, `worker ${number}`);
    this.#workers.push({ number, lane: held, place: name });
    this.model.holders.set(name, number);
  }

  /** Commits intents for whatever is due; a worker that lost its lane must not be let. */
  async send(choice: number): Promise<void> {
    const worker = this.#worker(choice);
    if (!worker) return;
    const due = (await worker.lane.due(20)).filter(({ state }) => state === 'planned' || state === 'ready');
    const wave = due.map((action) => ({
      action,
      intent: { key: action.key, sent: { field: 'digest' }, locator: {} },
    }));
    if (this.#holds(worker)) {
      const sent = await worker.lane.commitIntents(wave);
      assert.equal(sent.size, wave.length);
    } else if (wave.length > 0) await this.#refused(() => worker.lane.commitIntents(wave));
  }

  /** Records any outcome or verdict that the state machine allows. */
  async record(choice: number, outcomes: readonly number[]): Promise<void> {
    const worker = this.#worker(choice);
    if (!worker) return;
    const due = await worker.lane.due(20);
    const steps = due.flatMap((action, index): Move[] => {
      const targets = moves[action.state].filter((state) => !notRecorded.includes(state));
      const state = targets[(outcomes[index % outcomes.length] ?? 0) % Math.max(1, targets.length)];
      if (state === undefined) return [];
      const isOpen = (inFlightStates as readonly ActionState[]).includes(state);
      const attempts = action.attempts + (action.state === 'sending' ? 1 : 0);
      return [
        move(action, {
          state,
          outcome: 'o',
          decision: 'd',
          call: endedCall('write', performance.now()),
          attempts,
          ...(isOpen ? { due_in_ms: 0 } : {}),
        }),
      ];
    });
    if (this.#holds(worker)) await worker.lane.record(steps);
    else if (steps.length > 0) await this.#refused(() => worker.lane.record(steps));
  }

  /** A whole turn of a new worker: it takes the lane, sends what is due and records what came of it. */
  async turn(destination: number, outcomes: readonly number[]): Promise<void> {
    await this.take(destination);
    await this.check();
    const newest = this.#workers.length - 1;
    await this.send(newest);
    await this.check();
    await this.record(newest, outcomes);
  }

  /** The process is gone, and with it what it knew. */
  crash(choice: number): void {
    const worker = this.#worker(choice);
    this.#workers = this.#workers.filter((one) => one !== worker);
  }

  async letGo(choice: number): Promise<void> {
    await this.#worker(choice)?.lane.letGo();
  }

  async pause(kind: 'signal' | 'destination', choice: number): Promise<void> {
    const name =
      kind === 'signal' ? this.#signal.name : this.#destinations[choice % this.#destinations.length]?.name;
    await transaction(this.#pool, (client) => pause(client, { kind, name: name ?? '' }, 'by hand', 'crm'));
  }

  async resume(kind: 'signal' | 'destination', choice: number): Promise<void> {
    const name =
      kind === 'signal' ? this.#signal.name : this.#destinations[choice % this.#destinations.length]?.name;
    await transaction(this.#pool, (client) => resume(client, { kind, name: name ?? '' }));
  }

  async retry(): Promise<void> {
    const destinations = this.#destinations.map(({ name }) => name);
    const letters = await findDeadLetters(this.#pool, {
      states: deadLetterStates,
      signals: [this.#signal.name],
      destinations,
      only: [],
    });
    const retried = await retryDeadLetters(
      this.#pool,
      letters,
      new Map(destinations.map((name) => [name, 86_400_000])),
    );
    assert.equal(retried, letters.filter(({ overtaken }) => !overtaken).length);
  }

  /** Rule 9, nothing but moves of the state machine, and the order of an entity's actions. */
  async check(): Promise<void> {
    const rows = await this.#rows();
    const findings = (await checkBalance(this.#pool)).filter(
      ({ subject, kind }) => kind !== 'unaccounted' || subject.startsWith(`${this.#signal.name} `),
    );
    assert.deepEqual(findings, [], 'the ledger does not add up');
    for (const { name } of this.#destinations) {
      const planned = rows.filter(({ destination }) => destination === name).length;
      assert.equal(planned, this.model.detected.get(name) ?? 0, `actions of ${name}`);
    }
    const now = new Map(rows.map((row) => [row.key, row]));
    for (const [key, { state }] of this.#before) {
      const next = now.get(key)?.state;
      assert.ok(next, 'an action is gone');
      assert.ok(next === state || moves[state].includes(next), `an action went from ${state} to ${next}`);
    }
    this.#before = now;
    const sending = rows.filter(({ state }) => ['sending', 'accepted', 'unknown'].includes(state));
    const pairs = new Set(sending.map(({ destination, entity }) => `${destination} ${entity}`));
    assert.equal(pairs.size, sending.length, 'two actions of one entity are under way at one destination');
  }

  async #refused(write: () => Promise<unknown>): Promise<void> {
    const before = await this.#rows();
    await assert.rejects(write, (error) => error instanceof ReadbackError && error.code === 'LEDGER_FENCED');
    assert.deepEqual(await this.#rows(), before, 'a stale epoch wrote');
  }

  #worker(choice: number): Worker | undefined {
    return this.#workers[choice % Math.max(1, this.#workers.length)];
  }

  #holds({ number, place }: Worker): boolean {
    return this.model.holders.get(place) === number;
  }

  async #rows(): Promise<Row[]> {
    const { rows } = await this.#pool.query<Row>(
      'select key, destination, entity, sequence, state from actions where signal = $1 order by key',
      [this.#signal.name],
    );
    return rows;
  }
}

function transitionsBetween(
  members: ReadonlyMap<string, number>,
  scores: Scores,
): ('entered' | 'changed' | 'left')[] {
  const entered = [...scores.keys()].filter((id) => !members.has(id)).map(() => 'entered' as const);
  const left = [...members.keys()].filter((id) => !scores.has(id)).map(() => 'left' as const);
  const changed = [...scores].filter(([id, score]) => members.has(id) && members.get(id) !== score);
  return [...entered, ...left, ...changed.map(() => 'changed' as const)];
}
