import { setMaxListeners } from 'node:events';
import { hostname } from 'node:os';
import type pg from 'pg';
import { describeRefusal, type Prepared, prepare, renderFields } from './act/prepare.ts';
import { write } from './act/write.ts';
import type { Destination, Project, Signal } from './config/model.ts';
import { subscribers } from './config/play.ts';
import { undosFor, undosOf } from './config/undo.ts';
import type { CallOptions } from './connectors/connector.ts';
import { type Lens, type Looked, look, openLens } from './detect/look.ts';
import { failedPoll, type PollResult, poll } from './detect/poll.ts';
import { emit } from './emit/emit.ts';
import { messageScope } from './emit/message.ts';
import { Enricher } from './enrich/enrich.ts';
import type { Action, Move } from './ledger/action.ts';
import { Lane } from './ledger/lane.ts';
import { UnderWay } from './ledger/under-way.ts';
import type { Log } from './log.ts';
import { type Opened, type Openings, templatesFor } from './openings.ts';
import { expire, refuse, suppress } from './route/decline.ts';
import { type Beginning, beginnings } from './route/order.ts';
import { route } from './route/route.ts';
import { joinScopes, type Scope } from './templates/index.ts';
import { readBatch, verify } from './verify/verify.ts';

/**
 * Waves of calls that actions are taken and prepared for at a time: 2,000 where 400 are written at once, 100 (what one call
 * reads back) where it is one or two a second. More would be stale when it is sent, and the turn's job would expire.
 */
const wavesTaken = 5;
/** Who holds a lane, as people call it. */
const thisProcess = `pid ${process.pid} on ${hostname()}`;
/** Actions that all turns of a process together have taken: bounds memory. */
const takenAtOnce = 8_000;
/** A turn gives the lane back after this long, so that lanes are shared fairly by all workers. */
const turnMs = 60_000;

/** What a lane that is kept waits for. */
export interface Waiting {
  /** Listens from now on. What it answers resolves at the first call since, and after a while in any case. */
  listen(): () => Promise<void>;
}

export interface Turn {
  /** Its id in the ledger. */
  process: string;
  draining: AbortSignal;
  /** Where a trigger may bring more at any time: the lane is kept, and looked at again when it is called. */
  waiting?: Waiting | undefined;
}

/** The path of a row: detect → emit → enrich → route → act → verify. The only place that knows more than one stage. */
export class Pipeline {
  readonly project: Project;
  readonly openings: Openings;
  readonly #pool: pg.Pool;
  readonly #log: Log;
  readonly #enricher: Enricher;
  readonly #lenses = new Map<string, Promise<Lens>>();
  #turns = 0;

  constructor(project: Project, pool: pg.Pool, openings: Openings, log: Log) {
    this.project = project;
    this.openings = openings;
    this.#pool = pool;
    this.#log = log;
    this.#enricher = new Enricher((name) => openings.warehouse(name));
  }

  /** detect and emit: one poll of a signal, on a ledger connection of its own. Never throws for the user's faults. */
  async poll(
    client: pg.PoolClient,
    pollId: string,
    signal: Signal,
    options: { signal: AbortSignal; only: readonly string[]; attempt: string },
  ): Promise<PollResult> {
    try {
      const warehouse = await this.openings.warehouse(signal.warehouse);
      return await poll(client, warehouse, signal, {
        ...options,
        emit: (tx) => this.#emit(tx, pollId, signal),
      });
    } catch (error) {
      return failedPoll(error, signal);
    }
  }

  /** detect and emit for single entities. Throws when warehouse or ledger fail: a poll of the whole then says why. */
  async look(
    client: pg.PoolClient,
    signal: Signal,
    options: { entities: readonly string[]; news: string; signal: AbortSignal },
  ): Promise<Looked | undefined> {
    const warehouse = await this.openings.warehouse(signal.warehouse);
    const read = { signal: options.signal, timeoutMs: signal.timeoutMs };
    const opening = this.#lenses.get(signal.name) ?? openLens(signal, warehouse, read);
    this.#lenses.set(signal.name, opening);
    // What the warehouse said of its columns may be why.
    const forget = () => this.#lenses.delete(signal.name);
    try {
      const lens = await opening;
      const looked = await look(client, warehouse, signal, {
        ...options,
        lens,
        onRows: (poll, rows) => this.#enricher.remember(signal, poll, lens.columns, rows),
        emit: (tx, poll) => this.#emit(tx, poll, signal),
      });
      if (looked?.state === 'whole') forget();
      return looked;
    } catch (error) {
      forget();
      throw error;
    }
  }

  async #emit(tx: pg.PoolClient, pollId: string, signal: Signal): Promise<void> {
    const destinations = subscribers(this.project, signal);
    const undos = undosOf(this.project.destinations, destinations);
    const emitted = await emit(tx, this.project.name, pollId, signal, destinations, undos);
    this.#log.info({ signal: signal.name, poll: pollId, ...emitted }, 'messages emitted');
  }

  /**
   * enrich, route, act and verify for whatever is due in one lane, until nothing is, or the time is up. Nothing, when
   * another process is at it.
   */
  async laneTurn(
    destination: Destination,
    laneNumber: number,
    { process, draining, waiting }: Turn,
  ): Promise<void> {
    const opened = await this.openings.destination(destination);
    const lane = await Lane.take(this.#pool, destination.name, laneNumber, {
      holder: thisProcess,
      process,
      lagMs: destination.verify.lagMs ?? opened.type.lagMs,
      undos: undosFor(this.project.destinations, destination),
    });
    if (!lane) return;
    if (lane.takeover) {
      const where = { destination: destination.name, lane: laneNumber };
      this.#log.warn(
        { ...where, ...lane.takeover },
        lane.takeover.from ? 'lane taken over' : 'actions put in doubt',
      );
    }
    this.#turns += 1;
    const underWay = new UnderWay();
    try {
      await this.#workLane(opened, lane, underWay, draining, waiting);
    } finally {
      await underWay.all().finally(async () => {
        this.#turns -= 1;
        // Should it fail, the dispatcher of this process lets go of it.
        await lane.letGo().catch(() => {});
      });
    }
  }

  /**
   * A kept lane does not wait for the calls under way: what is due meanwhile is sent beside them, as long as all of it
   * together is no more than a wave, which is what a crash may leave in doubt.
   */
  async #workLane(
    opened: Opened,
    lane: Lane,
    underWay: UnderWay,
    draining: AbortSignal,
    waiting: Waiting | undefined,
  ): Promise<void> {
    const { maxBatch, maxReadBatch, concurrency } = opened.type;
    const wave = maxBatch * concurrency;
    const chunk = Math.max(maxReadBatch, wavesTaken * wave);
    const until = performance.now() + turnMs;
    while (!draining.aborted && performance.now() < until && underWay.usable) {
      const called = waiting?.listen();
      const limit = Math.min(chunk, Math.ceil(takenAtOnce / this.#turns));
      const due = underWay.without(await lane.due(limit + underWay.size));
      const work = (actions: readonly Action[]) => this.#work(opened, lane, actions, draining);
      if (due.length > 0 && (!called || due.length > wave)) {
        await underWay.all();
        if (!(await work(due))) return;
        continue;
      }
      const begun = due.slice(0, wave - underWay.size);
      // What is read back does not hold up what is to be sent.
      for (const part of [begun.filter(isUnsent), begun.filter((action) => !isUnsent(action))])
        if (part.length > 0) underWay.begin(part, () => work(part));
      if (!called) return;
      const isIdle = underWay.size === 0;
      if (isIdle) this.#turns -= 1;
      await Promise.race([...(begun.length === due.length ? [called()] : []), underWay.next()]);
      if (isIdle) this.#turns += 1;
    }
  }

  async #work(opened: Opened, lane: Lane, due: readonly Action[], draining: AbortSignal): Promise<boolean> {
    const { destination, type, gate, client, timeoutMs } = opened;
    const call: CallOptions = { signal: unending(), timeoutMs };
    const shared = { lane, gate, client, destination, type, call, draining };
    const sent = due.filter((action) => action.state === 'accepted' || action.state === 'unknown');
    const unsent = due.filter(isUnsent);
    const reader = {
      ...shared,
      onVerdict: (action: Action, verdict: Move) => this.#logMove(destination, action, verdict),
    };
    if (!(await verify(reader, sent))) return false;
    if (unsent.length === 0) return true;
    const { prepared, moves } = await this.#prepare(opened, lane, unsent, draining);
    await lane.record(moves);
    const byKey = new Map(unsent.map((action) => [action.key, action]));
    // What only waits is looked at every second, and would fill the log.
    for (const one of moves)
      if (one.outcome !== 'waiting') this.#logMove(destination, byKey.get(one.key), one);
    return write(
      {
        ...shared,
        readBack: (accepted) => readBatch(reader, accepted),
        onOutcome: ({ action }, outcome) =>
          this.#log.info(
            {
              correlation: action.correlation,
              destination: destination.name,
              action: action.key,
              outcome: outcome.kind,
              ...('code' in outcome ? { code: outcome.code } : {}),
            },
            'written',
          ),
      },
      prepared,
    );
  }

  /** enrich and route. What may not or cannot be sent comes back as moves, each with its reason. */
  async #prepare(
    opened: Opened,
    lane: Lane,
    actions: readonly Action[],
    abort: AbortSignal,
  ): Promise<{ prepared: Prepared[]; moves: Move[] }> {
    const { destination } = opened;
    const moves = actions.filter((action) => action.expired).map(expire);
    const current = actions.filter((action) => !action.expired);
    const begun = new Map<Action, Beginning>();
    const found = await beginnings(this.project, this.#pool, lane, destination, current);
    for (const action of current) {
      const one = found.get(action.key) ?? {};
      if ('state' in one) moves.push(one);
      else begun.set(action, one);
    }
    const scopes = await this.#scopes(opened, [...begun.keys()], abort);
    const prepared: Prepared[] = [];
    for (const [action, beginning] of begun) {
      const decided = this.#decide(opened, action, scopes.get(action.key), beginning);
      if ('item' in decided) prepared.push(decided);
      else moves.push(decided);
    }
    return { prepared, moves };
  }

  #decide(
    opened: Opened,
    action: Action,
    row: readonly Scope[] | undefined,
    { parentId, results, undone }: Beginning,
  ): Prepared | Move {
    const { destination, type, condition } = opened;
    if (!row) return refuse(action, `signal ${action.signal} is no longer in the project`);
    const scope = joinScopes(...row, results ? { results } : {});
    try {
      const wanted =
        action.state === 'planned' ? route(condition, destination.when, scope) : { wanted: true as const };
      if (!wanted.wanted) return suppress(action, wanted.reason);
      return prepare(
        action,
        destination,
        type,
        renderFields(templatesFor(opened, action.transition), type, scope),
        { parentId, undone },
      );
    } catch (error) {
      return refuse(action, describeRefusal(error, destination));
    }
  }

  /**
   * What templates and conditions see: the row, its enrichments, the message, and `now` (the same at every attempt). To be
   * joined for each action when it is its turn, as it is garbage right after.
   */
  async #scopes(
    { destination, variables }: Opened,
    actions: readonly Action[],
    abort: AbortSignal,
  ): Promise<Map<string, readonly Scope[]>> {
    // What undoes a record needs nothing but its id; the row may be gone.
    if (destination.undoes !== undefined) return new Map(actions.map(({ key }) => [key, []]));
    const scopes = new Map<string, readonly Scope[]>();
    for (const name of new Set(actions.map((action) => action.signal))) {
      const signal = this.project.signals.get(name);
      if (!signal) continue;
      const ours = actions.filter((action) => action.signal === name);
      const rows = await this.#enricher.scopes(this.project, signal, destination.enrich, ours, abort);
      for (const action of ours) {
        const known = rows.get(action.entity) ?? [];
        scopes.set(action.key, [...known, facts(action, signal, variables)]);
      }
    }
    return scopes;
  }

  /** Without the reason: it may quote the vendor, who may quote what was sent. The ledger has it. */
  #logMove(destination: Destination, action: Action | undefined, to: Move): void {
    this.#log.info(
      {
        correlation: action?.correlation,
        destination: destination.name,
        action: to.key,
        outcome: to.outcome,
        decision: to.decision,
        state: to.state,
      },
      to.call?.kind === 'read' ? 'read back' : 'decided',
    );
  }
}

function isUnsent({ state }: Action): boolean {
  return state === 'planned' || state === 'ready';
}

/** For calls that only their deadline ends. As many hear it as are made at once; Node.js would warn of the eleventh. */
function unending(): AbortSignal {
  const { signal } = new AbortController();
  setMaxListeners(0, signal);
  return signal;
}

/** The message's own facts; made only when they are asked for, as most destinations do without. */
function facts(action: Action, signal: Signal, variables: ReadonlySet<string>): Scope {
  const known: Record<string, unknown> = {};
  if (variables.has('now')) known.now = action.detected_at.toISOString();
  if (variables.has('message')) {
    const row = { ...action, id: action.message, severity: signal.severity };
    known.message = messageScope(row, signal.owner);
  }
  return known;
}
