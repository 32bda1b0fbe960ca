import { type Form, matches } from './forms.ts';
import type { Change } from './transitions.ts';

/** A stretch of time, its end not included. */
export interface Stretch {
  start: number;
  end: number;
}

/**
 * Every tick of a stretch, by looking at every minute, and at those seconds of it that the form names, around one change
 * of the clock. What the documentation promises, word for word:
 *
 * - a form that takes every hour ticks whenever the clock on the wall shows a time it names;
 * - any other ticks at the first of two equal wall times, and for one that is skipped as much later as the clock leaps.
 */
export function ticksAround(form: Form, change: Change, { start, end }: Stretch): number[] {
  const { at, before, after } = change;
  const ticks = new Set<number>();
  for (const instant of moments(form, start, end)) {
    const wall = instant + (instant < at ? before : after);
    const isRepeated = instant >= at && wall < at + before;
    if (matches(form, wall) && (form.everyHour || !isRepeated)) ticks.add(instant);
  }
  if (!form.everyHour)
    for (const wall of moments(form, at + before, at + after)) {
      const instant = wall - before;
      if (matches(form, wall) && instant >= start && instant < end) ticks.add(instant);
    }
  return [...ticks].sort((one, other) => one - other);
}

/** Offsets are whole minutes since long ago, so seconds are the same on every clock. */
function* moments(form: Form, start: number, end: number): Generator<number> {
  for (let minute = Math.floor(start / 60_000) * 60_000; minute < end; minute += 60_000)
    for (const second of form.seconds) {
      const moment = minute + second * 1_000;
      if (moment >= start && moment < end) yield moment;
    }
}

const minuteMs = 60_000;

/** Where it is worth looking: around the change and its leap, and the closer the more often a form ticks. */
export function stretchesOf(form: Form, { at, before, after }: Change): Stretch[] {
  const leap = Math.abs(after - before);
  const perHour = form.seconds.size * form.minutes.size;
  if (perHour > 60)
    return [at - leap, at, at + leap].map((edge) => ({ start: edge - minuteMs, end: edge + minuteMs }));
  const aroundMs = (perHour > 3 ? 1 : 30) * 60 * minuteMs;
  return [{ start: at - leap - aroundMs, end: at + leap + aroundMs }];
}
