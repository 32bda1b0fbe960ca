import type { Schedule } from '../config/model.ts';
import { cronOf } from './cron.ts';

/** A running schedule; `stop` ends it. */
export interface Ticker {
  stop(): void;
}

export interface TickEvents {
  /**
   * A tick is due. Its time is the same on every machine: cron times have whole seconds, intervals are counted from the
   * epoch.
   *
   * @param missed the oldest of those that passed unseen before it, while the machine slept or the clock leapt
   */
  onTick(at: Date, missed: Date | undefined): void;
  /** The clock was set back: ticks that fired already come again, and whoever claims them will be refused. */
  onClockBack?(now: Date): void;
}

/** A timer is not trusted for longer than this: the clock may be moved under it, or the machine sleep. */
const longestWaitMs = 10_000;
/** Clocks are corrected by less than this all the time. */
const slackMs = 1_000;

/**
 * Follows a schedule by the clock on the wall, from the ticks after `since` on. Of several ticks that passed unseen only the newest fires: a poll finds
 * whatever the others would have found.
 */
export function startTicker(schedule: Schedule, since: Date, { onTick, onClockBack }: TickEvents): Ticker {
  let timer: NodeJS.Timeout | undefined;
  let last = since.getTime();
  let next = nextTick(schedule, since);
  const wait = (): void => {
    const remainingMs = next.getTime() - Date.now();
    timer = setTimeout(look, Math.min(Math.max(remainingMs, 1), longestWaitMs));
  };
  const look = (): void => {
    const now = Date.now();
    if (now < last - slackMs) {
      last = now;
      next = nextTick(schedule, new Date(now));
      onClockBack?.(new Date(now));
    } else if (now >= next.getTime()) {
      const newest = previousTick(schedule, new Date(now));
      const missed = next < newest ? next : undefined;
      last = newest.getTime();
      next = nextTick(schedule, newest);
      onTick(newest, missed);
    } else last = Math.max(last, now);
    if (timer) wait();
  };
  wait();
  return {
    stop: () => {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}

/** The first tick after `after`. */
export function nextTick(schedule: Schedule, after: Date): Date {
  if ('everyMs' in schedule)
    return new Date((Math.floor(after.getTime() / schedule.everyMs) + 1) * schedule.everyMs);
  return new Date(cronOf(schedule.cron, schedule.timezone).next(after.getTime()));
}

/** The newest tick at or before `now`: the one to catch up when nobody was there to fire it. */
export function previousTick(schedule: Schedule, now: Date): Date {
  if ('everyMs' in schedule) return new Date(Math.floor(now.getTime() / schedule.everyMs) * schedule.everyMs);
  return new Date(cronOf(schedule.cron, schedule.timezone).previous(now.getTime()));
}

/** The last `count` ticks at or before `now`, newest first. */
export function ticksBefore(schedule: Schedule, now: Date, count: number): Date[] {
  const ticks: Date[] = [];
  for (let at = now; ticks.length < count; ) {
    const tick = previousTick(schedule, at);
    ticks.push(tick);
    at = new Date(tick.getTime() - 1);
  }
  return ticks;
}
