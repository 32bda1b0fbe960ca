import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextTick, previousTick } from '../../src/engine/ticks.ts';

/** The ticks of a day, forward; and, as a check, the same backward. */
function ticks(cron: string, timezone: string, from: string, to: string): string[] {
  const schedule = { cron, timezone };
  const found: Date[] = [];
  for (let tick = nextTick(schedule, new Date(Date.parse(from) - 1)); tick < new Date(to); ) {
    found.push(tick);
    tick = nextTick(schedule, tick);
  }
  const back: Date[] = [];
  for (let tick = previousTick(schedule, new Date(Date.parse(to) - 1)); tick >= new Date(from); ) {
    back.unshift(tick);
    tick = previousTick(schedule, new Date(tick.getTime() - 1));
  }
  assert.deepEqual(back, found, 'backward differs from forward');
  return found.map((tick) => tick.toISOString().replace(/:00\.000Z$/, 'Z'));
}

// On 29 March 2026 clocks in Prague leap from 02:00 to 03:00 at 01:00 UTC.
test('a time that is skipped ticks as much later as the clock leaps', () => {
  assert.deepEqual(ticks('30 2 * * *', 'Europe/Prague', '2026-03-28T12:00Z', '2026-03-30T12:00Z'), [
    '2026-03-29T01:30Z',
    '2026-03-30T00:30Z',
  ]);
});

test('a skipped time and the one it moves to are one tick', () => {
  assert.deepEqual(ticks('0 2,3 * * *', 'Europe/Prague', '2026-03-29T00:00Z', '2026-03-29T06:00Z'), [
    '2026-03-29T01:00Z',
  ]);
});

// On 25 October 2026 they go back from 03:00 to 02:00 at 01:00 UTC.
test('a time that comes twice ticks the first time', () => {
  assert.deepEqual(ticks('30 2 * * *', 'Europe/Prague', '2026-10-24T12:00Z', '2026-10-26T12:00Z'), [
    '2026-10-25T00:30Z',
    '2026-10-26T01:30Z',
  ]);
});

test('a schedule of every hour follows the time that passes', () => {
  assert.deepEqual(ticks('*/30 * * * *', 'Europe/Prague', '2026-10-25T00:00Z', '2026-10-25T02:30Z'), [
    '2026-10-25T00:00Z',
    '2026-10-25T00:30Z',
    '2026-10-25T01:00Z',
    '2026-10-25T01:30Z',
    '2026-10-25T02:00Z',
  ]);
  assert.deepEqual(ticks('*/30 * * * *', 'Europe/Prague', '2026-03-29T00:30Z', '2026-03-29T02:00Z'), [
    '2026-03-29T00:30Z',
    '2026-03-29T01:00Z',
    '2026-03-29T01:30Z',
  ]);
});

// Lord Howe's clocks leap half an hour, from 02:00 to 02:30, on 4 October 2026 at 15:30 UTC the day before.
test('half an hour is skipped like a whole one', () => {
  assert.deepEqual(ticks('15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T00:00Z', '2026-10-04T18:00Z'), [
    '2026-10-03T15:45Z',
    '2026-10-04T15:15Z',
  ]);
});

test('a rare tick is found across many changes of the clock', () => {
  assert.deepEqual(ticks('30 2 29 2 *', 'America/New_York', '2025-01-01T00:00Z', '2033-01-01T00:00Z'), [
    '2028-02-29T07:30Z',
    '2032-02-29T07:30Z',
  ]);
});

test('of a day of the month and a day of the week, either is enough', () => {
  assert.deepEqual(ticks('0 0 13 * 5', 'UTC', '2026-11-01T00:00Z', '2026-11-15T00:00Z'), [
    '2026-11-06T00:00Z',
    '2026-11-13T00:00Z',
  ]);
});
