import { setTimeout as sleep } from 'node:timers/promises';
import type { RateLimit } from '../config/model.ts';
import {
  type Answered,
  type Gate,
  NotSent,
  type Outcome,
  type Reading,
  type Throttled,
  type Unavailable,
} from '../connectors/connector.ts';
import { type Queryable, queries } from '../store/queries.ts';
import { type Budget, budgetOf, Hand, type Permit } from './permits.ts';

const sql = queries('connections');

/** Consecutive failures that open the breaker, and how long it then stays open: doubling from base to cap. */
const breaker = { threshold: 5, base_seconds: 5, cap_seconds: 300 };
/** Deadline of a half-open probe; after it another worker may try. */
const probeSeconds = 30;
/** A pass waits at most this long for a permit; the caller then gives the lane back. */
const patienceMs = 20_000;

interface Draw {
  verdict: 'granted' | 'probe' | 'empty' | 'paused' | 'open' | 'probing';
  numbers: number[];
  held_until: string;
  failures: number;
  reason: string | null;
  wait_ms: number;
}

/**
 * The shared budget of one connection, as one worker process sees it. Every worker on every machine draws permits from
 * the same row of the ledger, as many at once as calls are waiting here, and gives each back when its call was answered;
 * `connections.sql` says why no window of the vendor's can then hold more than `limit.requests`.
 */
export class ConnectionGate implements Gate {
  readonly name: string;
  readonly #client: Queryable;
  readonly #budget: Budget;
  readonly #hand: Hand;
  #waiting = 0;
  #troubled = false;
  /** What was drawn last is for one call, on whose answer depends whether others may be made. */
  #probing = false;
  #heeded: { until: number; refusal: Throttled | Unavailable } | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  /** @param callTimeoutMs deadline of one call; a permit is held no longer than that, should its worker die */
  constructor(client: Queryable, name: string, limit: RateLimit, callTimeoutMs = 15_000) {
    this.name = name;
    this.#client = client;
    this.#budget = budgetOf(limit, callTimeoutMs);
    this.#hand = new Hand(client, name, this.#budget);
  }

  async register(): Promise<void> {
    const { permits } = this.#budget;
    await sql.run(this.#client, 'register_connection', { connection: this.name, permits });
  }

  /**
   * Takes leave for one call; waits for it a while. Throws `NotSent` when the call may not be made now.
   *
   * @param beginBy after it, on the monotonic clock, the call may not be made any more
   */
  pass(signal: AbortSignal, beginBy = Number.POSITIVE_INFINITY): Promise<Answered> {
    return this.#inTurn(async () => {
      const told = this.#hand.use(await this.#take(signal, beginBy));
      return (usable = false) => {
        told();
        if (usable && this.#probing) void this.#inTurn(() => this.succeeded()).catch(() => {});
      };
    });
  }

  /** Makes sure that a call could be made now, without making it. Throws `NotSent` otherwise. */
  ready(signal: AbortSignal): Promise<void> {
    return this.#inTurn(async () => void (await this.#take(signal, Number.POSITIVE_INFINITY)));
  }

  /** Lets the next call try a connection that rests after failures: a person asks, and need not wait. */
  async endRest(): Promise<void> {
    await sql.run(this.#client, 'end_rest', { connection: this.name });
  }

  /** Resolves once what the answers so far have told is in the ledger. */
  settled(): Promise<void> {
    return this.#inTurn(async () => {});
  }

  async #inTurn<Result>(act: () => Promise<Result>): Promise<Result> {
    this.#waiting += 1;
    const turn = this.#queue.then(act).finally(() => {
      this.#waiting -= 1;
    });
    this.#queue = turn.catch(() => {});
    return turn;
  }

  async #take(signal: AbortSignal, beginBy: number): Promise<Permit> {
    const deadline = Math.min(performance.now() + patienceMs, beginBy);
    for (;;) {
      signal.throwIfAborted();
      if (performance.now() > beginBy) throw new NotSent(tooLate);
      if (this.#heeded && performance.now() < this.#heeded.until) throw new NotSent(this.#heeded.refusal);
      const permit = this.#hand.next();
      if (permit) return permit;
      const draw = await this.#draw();
      if (draw.numbers.length > 0) continue;
      const mayWait = draw.verdict === 'empty' && performance.now() + draw.wait_ms < deadline;
      if (!mayWait) throw new NotSent(refusal(this.name, draw));
      await sleep(Math.max(1, draw.wait_ms), undefined, { signal });
    }
  }

  async #draw(): Promise<Draw> {
    const { calls, burst, paceSeconds, windowSeconds, holdSeconds } = this.#budget;
    // The life of what is drawn counts from here, before the ledger has given it.
    const drawnAt = performance.now();
    const draw = await sql.one<Draw>(this.#client, 'draw', {
      connection: this.name,
      wanted: Math.ceil(this.#waiting / calls),
      burst,
      pace_seconds: paceSeconds,
      window_seconds: windowSeconds,
      hold_seconds: holdSeconds,
      probe_seconds: probeSeconds,
      now: null,
    });
    if (!draw) throw new Error(`connection ${this.name} is not registered in the ledger`);
    this.#probing = draw.verdict === 'probe';
    this.#troubled = draw.failures > 0 || this.#probing;
    // A probe is one call, also where a permit is good for several.
    this.#hand.add(draw.numbers, draw.held_until, drawnAt, draw.verdict === 'probe' ? 1 : calls);
    return draw;
  }

  /**
   * Stops this process at once: the other calls of a batch must not run into the pause before the ledger knows of it.
   * `learn` then tells the other workers.
   */
  heed(refusal: Throttled | Unavailable): void {
    const ms = refusal.kind === 'throttled' ? (refusal.retryAfterMs ?? defaultPauseMs) : unavailableRestMs;
    this.#heeded = { until: performance.now() + ms, refusal };
  }

  /** A 429: nobody calls this connection until the pause is over. */
  async pause(throttled: Throttled): Promise<void> {
    this.#hand.empty();
    await sql.run(this.#client, 'pause', {
      connection: this.name,
      pause_ms: throttled.retryAfterMs ?? defaultPauseMs,
      reason: throttled.reason,
    });
  }

  /**
   * Learns from a batch of answers about the vendor as a whole: a 429 pauses, a dead connection opens the breaker, a
   * batch about which nothing is certain counts as one failure.
   *
   * @returns false when the connection may not be used for now
   */
  async learn(results: readonly (Outcome | Reading)[]): Promise<boolean> {
    const answers = results.flatMap((result) =>
      result.kind === 'ambiguous' && result.meanwhile ? [result, result.meanwhile] : [result],
    );
    const throttled = answers.find((answer) => answer.kind === 'throttled');
    if (throttled) {
      await this.pause(throttled);
      return false;
    }
    const unavailable = answers.filter((answer) => answer.kind === 'unavailable');
    const unreachable = unavailable.find((answer) => answer.code !== restingCode);
    if (unreachable) {
      await this.failed(`${unreachable.code}: ${unreachable.reason}`, true);
      return false;
    }
    // What the gate itself refused says nothing about the vendor; what passed before does: it may have been the probe.
    const passed = answers.filter((answer) => answer.kind !== 'unavailable');
    if (passed.length === 0 && unavailable.length > 0) return false;
    const doubts = passed.filter((answer) => answer.kind === 'ambiguous' || answer.kind === 'failed');
    if (doubts[0] && doubts.length === passed.length) {
      return (await this.failed(doubts[0].reason, false)) === undefined && unavailable.length === 0;
    }
    await this.succeeded();
    return unavailable.length === 0;
  }

  /** The vendor answered properly. Written down only when the ledger holds failures against the connection. */
  async succeeded(): Promise<void> {
    if (!this.#troubled) return;
    this.#troubled = false;
    this.#probing = false;
    await sql.run(this.#client, 'report_success', { connection: this.name });
  }

  /**
   * The vendor could not be used. Returns how long the breaker is open, or undefined while it is closed.
   *
   * @param atOnce the failure is certain to repeat (wrong credentials): open without waiting for the threshold
   */
  async failed(reason: string, atOnce: boolean): Promise<number | undefined> {
    this.#hand.empty();
    this.#troubled = true;
    this.#probing = false;
    const state = await sql.one<{ breaker: string; retry_in_ms: number | null }>(
      this.#client,
      'report_failure',
      {
        connection: this.name,
        reason,
        at_once: atOnce,
        ...breaker,
      },
    );
    return state?.breaker === 'open' ? Math.max(0, state.retry_in_ms ?? 0) : undefined;
  }
}

/** The gate's own refusal; it must not count as one more failure of the vendor. */
const restingCode = 'BREAKER_OPEN';

/** The process was suspended, or waited too long for its share of the budget. */
const tooLate: Throttled = {
  kind: 'throttled',
  retryAfterMs: 0,
  reason: 'too long after its intent to begin; not sent',
};

/** Long enough for the ledger to open the breaker, which then decides. */
const unavailableRestMs = 1_000;

/** Waits this long after a 429 that does not say how long. */
const defaultPauseMs = 5_000;

function refusal(name: string, draw: Draw): Throttled | Unavailable {
  const reason = draw.reason ?? '';
  switch (draw.verdict) {
    case 'open':
    case 'probing':
      return {
        kind: 'unavailable',
        code: restingCode,
        reason: `connection ${name} is resting after failures: ${reason}`,
      };
    case 'paused':
      return {
        kind: 'throttled',
        retryAfterMs: draw.wait_ms,
        reason: `connection ${name} is paused: ${reason}`,
      };
    default:
      return {
        kind: 'throttled',
        retryAfterMs: draw.wait_ms,
        reason: `the request budget of ${name} is used up`,
      };
  }
}
