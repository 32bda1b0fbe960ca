import { setTimeout as sleep } from 'node:timers/promises';
import type { RateLimit } from '../config/model.ts';
import {
  type Gate,
  NotSent,
  type Outcome,
  type Reading,
  type Throttled,
  type Unavailable,
} from '../connectors/connector.ts';
import { type Queryable, queries } from '../store/queries.ts';

const sql = queries('connections');

/** Consecutive failures that open the breaker, and how long it then stays open: doubling from base to cap. */
const breaker = { threshold: 5, base_seconds: 5, cap_seconds: 300 };
/** Deadline of a half-open probe; after it another worker may try. */
const probeSeconds = 30;
/** A pass waits at most this long for a token; the caller then gives the lane back. */
const patienceMs = 20_000;
/** Drawn tokens are good for this long, so that unused ones cannot pile up into a burst. */
const tokenLifeMs = 500;

interface Draw {
  verdict: 'granted' | 'probe' | 'empty' | 'paused' | 'open' | 'probing';
  taken: number;
  failures: number;
  reason: string | null;
  wait_ms: number;
}

/**
 * The shared budget of one connection, as one worker process sees it. Tokens are drawn from the ledger in blocks, so
 * that a busy worker asks the database once for many calls; every worker on every machine draws from the same row.
 */
export class ConnectionGate implements Gate {
  readonly name: string;
  readonly #client: Queryable;
  readonly #capacity: number;
  readonly #perSecond: number;
  #tokens = 0;
  #drawnAt = 0;
  #troubled = false;
  #heeded: { until: number; refusal: Throttled | Unavailable } | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  /**
   * A bucket of capacity C refilled at r per second lets at most C + r·W calls through in a window W. With C a tenth
   * of the vendor's limit and r 85 % of it, the rest covers tokens that are drawn early and used late.
   */
  constructor(client: Queryable, name: string, limit: RateLimit) {
    this.name = name;
    this.#client = client;
    this.#capacity = Math.max(1, Math.floor(limit.requests / 10));
    this.#perSecond = (0.85 * limit.requests * 1000) / limit.perMs;
  }

  async register(): Promise<void> {
    await sql.run(this.#client, 'register_connection', { connection: this.name, capacity: this.#capacity });
  }

  /** Takes one token; waits for it a while. Throws `NotSent` when the call may not be made now. */
  async pass(signal: AbortSignal): Promise<void> {
    const turn = this.#queue.then(() => this.#take(signal));
    this.#queue = turn.catch(() => {});
    await turn;
  }

  /** Makes sure that a call could be made now, without making it. Throws `NotSent` otherwise. */
  async ready(signal: AbortSignal): Promise<void> {
    const turn = this.#queue.then(async () => {
      await this.#take(signal);
      this.#tokens += 1;
    });
    this.#queue = turn.catch(() => {});
    await turn;
  }

  async #take(signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      signal.throwIfAborted();
      if (this.#heeded && performance.now() < this.#heeded.until) throw new NotSent(this.#heeded.refusal);
      if (this.#tokens > 0 && performance.now() - this.#drawnAt < tokenLifeMs) {
        this.#tokens -= 1;
        return;
      }
      const draw = await this.#draw();
      if (draw.taken > 0) {
        this.#tokens = draw.taken;
        this.#drawnAt = performance.now();
        continue;
      }
      const mayWait = draw.verdict === 'empty' && performance.now() + draw.wait_ms < deadline;
      if (!mayWait) throw new NotSent(refusal(this.name, draw));
      await sleep(Math.max(10, draw.wait_ms), undefined, { signal });
    }
  }

  async #draw(): Promise<Draw> {
    const draw = await sql.one<Draw>(this.#client, 'draw', {
      connection: this.name,
      capacity: this.#capacity,
      per_second: this.#perSecond,
      wanted: Math.max(1, Math.min(100, Math.floor(this.#perSecond * (tokenLifeMs / 1000)))),
      probe_seconds: probeSeconds,
    });
    if (!draw) throw new Error(`connection ${this.name} is not registered in the ledger`);
    this.#troubled = draw.failures > 0 || draw.verdict === 'probe';
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
    this.#tokens = 0;
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
    await sql.run(this.#client, 'report_success', { connection: this.name });
  }

  /**
   * The vendor could not be used. Returns how long the breaker is open, or undefined while it is closed.
   *
   * @param atOnce the failure is certain to repeat (wrong credentials): open without waiting for the threshold
   */
  async failed(reason: string, atOnce: boolean): Promise<number | undefined> {
    this.#tokens = 0;
    this.#troubled = true;
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
