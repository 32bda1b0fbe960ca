import { CronExpressionParser } from 'cron-parser';
import nodeCron from 'node-cron';
import type { Schedule } from '../config/model.ts';

/** A running schedule; `stop` ends it. */
export interface Ticker {
  stop(): void;
}

/**
 * Calls `onTick` at every tick of a schedule with the tick's own time, which is the same on every machine: cron
 * times have whole seconds, intervals are counted from the epoch.
 */
export function startTicker(schedule: Schedule, onTick: (at: Date) => void): Ticker {
  if ('cron' in schedule) {
    const task = nodeCron.schedule(
      schedule.cron,
      (context) => onTick(new Date(Math.floor(context.date.getTime() / 1000) * 1000)),
      { timezone: schedule.timezone, suppressMissedWarning: true },
    );
    return { stop: () => void task.destroy() };
  }
  return startInterval(schedule.everyMs, onTick);
}

function startInterval(everyMs: number, onTick: (at: Date) => void): Ticker {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  // Timers count monotonically but ticks are wall-clock times: each wait is measured anew, so a corrected clock
  // neither skips nor repeats more than the ticks it jumped over.
  const wait = (last: number) => {
    if (stopped) return;
    const next = Math.max(nextBoundary(Date.now(), everyMs), last + everyMs);
    timer = setTimeout(
      () => {
        if (Date.now() < next) return wait(last);
        onTick(new Date(next));
        wait(next);
      },
      Math.min(Math.max(next - Date.now(), 1), 60_000),
    );
  };
  wait(0);
  return {
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

function nextBoundary(now: number, everyMs: number): number {
  return (Math.floor(now / everyMs) + 1) * everyMs;
}

/**
 * The newest tick at or before `now`: the one to catch up when nobody was there to fire it. node-cron only looks
 * forward, hence the second library.
 */
export function previousTick(schedule: Schedule, now: Date): Date {
  return ticksBefore(schedule, now, 1)[0] ?? now;
}

/** The last `count` ticks at or before `now`, newest first. */
export function ticksBefore(schedule: Schedule, now: Date, count: number): Date[] {
  if ('everyMs' in schedule) {
    const last = Math.floor(now.getTime() / schedule.everyMs) * schedule.everyMs;
    return Array.from({ length: count }, (_, back) => new Date(last - back * schedule.everyMs));
  }
  // `prev` is strictly before its start, and ticks have whole seconds.
  const start = new Date(now.getTime() + 1);
  const ticks = CronExpressionParser.parse(schedule.cron, { tz: schedule.timezone, currentDate: start });
  return Array.from({ length: count }, () => ticks.prev().toDate());
}
