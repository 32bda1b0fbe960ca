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
  /** Catch-ups of what was missed while all schedulers were down. */
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
    caughtUp: polls.filter(
      ({ cause, scheduledFor }) =>
        cause === 'catch_up' && scheduledFor > downFrom - everyMs && scheduledFor < downTo + 30_000,
    ).length,
  };
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
