import { type CronExpression, CronExpressionParser } from 'cron-parser';
import { LRUCache } from 'lru-cache';
import { Zone } from './zone.ts';

const dayMs = 86_400_000;

/** Earlier than any wall time. */
const never = Number.NEGATIVE_INFINITY;

/** The offsets before and after a change of the clock: wall times before `end` go by the first, from `start` on by the second. */
interface Seam {
  before: number;
  since: number;
  end: number;
  start: number;
}

/**
 * The ticks of a cron expression in a time zone. The library is asked on the wall clock only, where every day has 24
 * hours; what happens when clocks change is decided here, in one place for both directions:
 *
 * - A wall time that is skipped ticks as much later as the clock leaps: 02:30 becomes 03:30.
 * - A wall time that comes twice ticks the first time.
 * - An expression that takes every hour means elapsed time, not appointments: it neither makes up for the hour that is
 *   skipped nor rests in the one that comes twice.
 */
export class Cron {
  readonly #expression: CronExpression;
  readonly #zone: Zone;
  readonly #everyHour: boolean;
  /** Of the day that was asked for last. */
  #known: { day: number; seam: Seam } | undefined;

  constructor(pattern: string, timezone: string) {
    this.#expression = CronExpressionParser.parse(pattern, { tz: 'UTC' });
    this.#zone = new Zone(timezone);
    this.#everyHour = this.#expression.fields.hour.values.length === 24;
  }

  /** The first tick after an instant. */
  next(after: number): number {
    const { before, since, end, start } = this.#seam(after);
    const early = after + before < end ? this.#nextWall(after + before) : end;
    const late = this.#nextWall(Math.max(after + since, start - 1));
    const found = Math.min(early < end ? early - before : Number.POSITIVE_INFINITY, late - since);
    // Far away the clock may have changed again; a day before it is near, and nothing lies between.
    return found - after > 2 * dayMs ? this.next(found - dayMs) : found;
  }

  /** The last tick at or before an instant. */
  previous(at: number): number {
    const { before, since, end, start } = this.#seam(at);
    const late = at + since >= start ? this.#previousWall(at + since) : never;
    const early = Number.isFinite(end) ? this.#previousWall(Math.min(at + before, end - 1)) : never;
    const found = Math.max(early - before, late >= start ? late - since : never);
    return at - found > 2 * dayMs ? this.previous(found + dayMs) : found;
  }

  #seam(instant: number): Seam {
    const day = Math.floor(instant / dayMs);
    if (this.#known?.day !== day) this.#known = { day, seam: this.#seamAround(day * dayMs) };
    return this.#known.seam;
  }

  #seamAround(day: number): Seam {
    // A week holds one change at most: the two nearest since 2015 are 28 days apart, in Fiji in 2021.
    const [from, to] = [day - 3 * dayMs, day + 4 * dayMs];
    const [before, since] = [this.#zone.offsetAt(from), this.#zone.offsetAt(to)];
    const change = this.#zone.changeBetween(from, to);
    if (change === undefined) return { before, since, end: never, start: never };
    if (this.#everyHour) return { before, since, end: change + before, start: change + since };
    const seam = change + Math.max(before, since);
    return { before, since, end: seam, start: seam };
  }

  #nextWall(wall: number): number {
    this.#expression.reset(new Date(wall));
    return this.#expression.next().getTime();
  }

  /** At or before. The library looks strictly before, and wall ticks have whole seconds. */
  #previousWall(wall: number): number {
    this.#expression.reset(new Date(wall + 1));
    return this.#expression.prev().getTime();
  }
}

const known = new LRUCache<string, Cron>({ max: 1_000 });

/** Parsed once: an expression is asked at each of its ticks. */
export function cronOf(pattern: string, timezone: string): Cron {
  const key = `${timezone} ${pattern}`;
  const cron = known.get(key) ?? new Cron(pattern, timezone);
  known.set(key, cron);
  return cron;
}
