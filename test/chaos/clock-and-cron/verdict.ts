import type { LogLine } from '../fleet/product.ts';
import type { Happened } from './scene.ts';

const everyMs = 1_000;
/** A clock is read this often by whoever moves it, and a process may be late; more is a lost tick. */
const slackMs = 1_500;

export interface ClockVerdict {
  ticks: number;
  polled: number;
  firedTwice: number;
  /** Ticks without a row, and without a log line that says so. */
  lostSilently: number;
  toldMissed: number;
  toldSetBack: number;
  /** Rows of ticks that passed while all schedulers were down: one, unless one was not caught up as such (NaN). */
  caughtUp: number;
}

/** Reads what three schedulers did off their ledger and their logs. */
export function judgeClocks({ polls, log, downFrom, downTo }: Happened): ClockVerdict {
  const told = log.filter(({ msg }) => msg.startsWith('ticks missed')).map(stretchOf);
  const setBack = log
    .filter(({ msg }) => msg.startsWith('the clock went back'))
    .map(({ now }) => timeOf(now));
  const polled = log.filter(({ msg }) => msg === 'polled');
  let lostSilently = 0;
  for (const [index, { scheduledFor }] of polls.entries()) {
    const before = polls[index - 1]?.scheduledFor;
    if (before === undefined) continue;
    for (let tick = before + everyMs; tick < scheduledFor; tick += everyMs) {
      const explained =
        told.some(({ from, to }) => tick >= from && tick < to) ||
        // While the clocks were ahead, these passed unseen; the line about setting them back tells of it.
        setBack.some((now) => scheduledFor >= now - slackMs && before < now) ||
        (tick >= downFrom - slackMs && tick <= downTo + slackMs);
      lostSilently += Number(!explained);
    }
  }
  return {
    ticks: polls.length,
    polled: polled.length,
    firedTwice: polled.length - new Set(polled.map(({ correlation }) => correlation)).size + repeated(polls),
    lostSilently,
    toldMissed: told.length,
    toldSetBack: setBack.length,
    caughtUp: catchUpsAfterPause(polls, downFrom, downTo),
  };
}

/**
 * Of the ticks that passed while nobody ran, how many have a row; each must be a catch-up. Whoever comes back first catches
 * up the newest; what has a later time was no longer missed.
 */
function catchUpsAfterPause(polls: Happened['polls'], downFrom: number, downTo: number): number {
  const after = polls.filter(({ scheduledFor }) => scheduledFor > downFrom);
  const back = after.find(({ scheduledFor }) => scheduledFor > downTo - everyMs)?.scheduledFor ?? 0;
  const passed = after.filter(({ scheduledFor }) => scheduledFor <= back);
  return passed.every(({ cause }) => cause === 'catch_up') ? passed.length : Number.NaN;
}

function repeated(polls: Happened['polls']): number {
  return polls.length - new Set(polls.map(({ scheduledFor }) => scheduledFor)).size;
}

function stretchOf({ first, tick }: LogLine): { from: number; to: number } {
  return { from: timeOf(first), to: timeOf(tick) };
}

function timeOf(value: unknown): number {
  return new Date(String(value)).getTime();
}
