import { setTimeout as sleep } from 'node:timers/promises';
import type { Signal } from '../config/model.ts';

/** Entities looked at together: their keys are one query. */
const mostTogether = 2_000;
/** With more waiting than this, the whole set is cheaper to look at. */
const mostWaiting = 10_000;
/** Whole polls that are poked for rest this long in between, and as long as the last took: half the warehouse's time. */
const leastRestMs = 1_000;

/**
 * A look rests for as long as the one before it took, and no longer than this: most of what a look costs is the same for one
 * entity and for ten, so that looks right after each other fill the machine, and everything queues. The first that is poked
 * after a rest is looked at without any.
 */
const mostLookRestMs = 20;

/** What came of looking. */
export type Looking = 'done' | 'busy' | 'whole';

export interface Looker {
  /** Looks at these entities; `whole` when only a poll can tell, `busy` when somebody else has had the signal for too long. */
  look(signal: Signal, entities: readonly string[]): Promise<Looking>;
  /** Polls the whole signal; `busy` when somebody else is at it. */
  poll(signal: Signal): Promise<Looking>;
}

interface Poked {
  signal: Signal;
  entities: Set<string>;
  whole: boolean;
  /** Called once everything poked so far has been looked at. */
  done: (() => void)[];
  /** Looking at single entities has failed, so that only a whole poll helps. */
  blind: boolean;
  /** On the monotonic clock: no whole poll before it, and no look. */
  restsUntil: number;
  lookRestsUntil: number;
  timer: NodeJS.Timeout | undefined;
  busy: boolean;
  work: Promise<void>;
}

/**
 * Gathers pokes: one look of a signal at a time, and what is poked meanwhile is looked at right after, together. However
 * fast pokes come, the warehouse is asked one query at a time, and the memory of them is bounded.
 */
export class Pokes {
  readonly #looker: Looker;
  readonly #stop: AbortSignal;
  readonly #poked = new Map<string, Poked>();

  constructor(looker: Looker, stop: AbortSignal) {
    this.#looker = looker;
    this.#stop = stop;
  }

  /**
   * @param entities undefined: any may have changed
   * @param done told when they have been looked at; never, when this process ends before
   */
  poke(signal: Signal, entities: readonly string[] | undefined, done?: () => void): void {
    const poked = this.#poked.get(signal.name) ?? nothingPoked(signal);
    this.#poked.set(signal.name, poked);
    for (const entity of entities ?? []) poked.entities.add(entity);
    if (entities === undefined || poked.entities.size > mostWaiting) poked.whole = true;
    if (done) poked.done.push(done);
    this.#start(poked);
  }

  /** Waits for what is under way. */
  async stopped(): Promise<void> {
    await Promise.all([...this.#poked.values()].map((poked) => poked.work));
  }

  #start(poked: Poked): void {
    if (!this.#stop.aborted && !poked.busy) poked.work = this.#work(poked);
  }

  async #work(poked: Poked): Promise<void> {
    clearTimeout(poked.timer);
    poked.busy = true;
    while (!this.#stop.aborted && (poked.whole || poked.entities.size > 0)) {
      const restMs = poked.restsUntil - performance.now();
      if (poked.whole && restMs <= 0) await this.#poll(poked);
      else if (poked.entities.size > 0 && !poked.blind) await this.#look(poked);
      else {
        poked.timer = setTimeout(() => this.#start(poked), restMs).unref();
        break;
      }
    }
    poked.busy = false;
  }

  async #look(poked: Poked): Promise<void> {
    const restMs = poked.lookRestsUntil - performance.now();
    if (restMs > 0) await sleep(restMs);
    const started = performance.now();
    const entities = [...poked.entities].slice(0, mostTogether);
    for (const entity of entities) poked.entities.delete(entity);
    const done = poked.whole || poked.entities.size > 0 ? [] : poked.done.splice(0);
    const looking = await this.#looker.look(poked.signal, entities).catch((): Looking => 'whole');
    const ended = performance.now();
    poked.lookRestsUntil = ended + Math.min(mostLookRestMs, ended - started);
    if (looking === 'done') for (const tell of done) tell();
    else poked.done.push(...done);
    if (looking === 'whole') {
      poked.whole = true;
      poked.blind = true;
    }
    if (looking === 'busy') for (const entity of entities) poked.entities.add(entity);
  }

  async #poll(poked: Poked): Promise<void> {
    const entities = [...poked.entities];
    const done = poked.done.splice(0);
    poked.whole = false;
    poked.blind = false;
    poked.entities.clear();
    const started = performance.now();
    // One that failed has said why. It is not tried again: the schedule does that.
    const looking = await this.#looker.poll(poked.signal).catch((): Looking => 'done');
    const tookMs = performance.now() - started;
    poked.restsUntil = performance.now() + Math.max(leastRestMs, tookMs);
    if (looking === 'done') for (const tell of done) tell();
    else {
      poked.done.push(...done);
      for (const entity of entities) poked.entities.add(entity);
      poked.whole = true;
    }
  }
}

function nothingPoked(signal: Signal): Poked {
  const empty = { entities: new Set<string>(), whole: false, done: [], blind: false };
  return {
    signal,
    ...empty,
    restsUntil: 0,
    lookRestsUntil: 0,
    timer: undefined,
    busy: false,
    work: Promise.resolve(),
  };
}
