import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { startTicker } from '../../src/engine/ticks.ts';

const start = Date.parse('2026-03-01T09:00:30Z');

interface Seen {
  ticks: string[];
  missed: string[];
  setBack: number;
}

/** Timers measure the time that passes, whatever the clock on the wall is set to. */
let passedMs = 0;
let setByMs = 0;

/** Runs a ticker of every minute while the test lets time pass and sets the clock. */
function follow(events: () => void): Seen {
  passedMs = 0;
  setByMs = 0;
  mock.timers.enable({ apis: ['setTimeout'] });
  const now = mock.method(Date, 'now', () => start + passedMs + setByMs);
  const seen: Seen = { ticks: [], missed: [], setBack: 0 };
  const time = (at: Date): string => at.toISOString().slice(11, 19);
  const ticker = startTicker({ everyMs: 60_000 }, new Date(start), {
    onTick: (at, missed) => {
      seen.ticks.push(time(at));
      if (missed) seen.missed.push(time(missed));
    },
    onClockBack: () => {
      seen.setBack += 1;
    },
  });
  try {
    events();
  } finally {
    ticker.stop();
    now.mock.restore();
    mock.timers.reset();
  }
  return seen;
}

function pass(seconds: number): void {
  for (let hundreds = 0; hundreds < seconds * 10; hundreds += 1) {
    passedMs += 100;
    mock.timers.tick(100);
  }
}

/** Sets the clock on the wall forward, or back. */
function setClock(byMs: number): void {
  setByMs += byMs;
}

test('every tick fires once while the clock is left alone', () => {
  const { ticks, missed } = follow(() => pass(180));
  assert.deepEqual(ticks, ['09:01:00', '09:02:00', '09:03:00']);
  assert.deepEqual(missed, []);
});

test('when the clock leaps an hour, the newest tick fires once and the others are told', () => {
  const seen = follow(() => {
    pass(60);
    setClock(3_600_000);
    pass(60);
  });
  assert.deepEqual(seen.ticks, ['09:01:00', '10:01:00', '10:02:00']);
  assert.deepEqual(seen.missed, ['09:02:00']);
});

test('when the clock is set back it is told, and ticks follow the new time at once', () => {
  const seen = follow(() => {
    pass(60);
    setClock(-3_600_000);
    pass(60);
  });
  assert.equal(seen.setBack, 1);
  assert.deepEqual(seen.ticks, ['09:01:00', '08:02:00']);
});

test('small corrections of the clock neither repeat nor skip a tick', () => {
  const seen = follow(() => {
    for (let round = 0; round < 60; round += 1) {
      pass(5);
      setClock(round % 2 === 0 ? -400 : 400);
    }
  });
  assert.deepEqual(seen.ticks, ['09:01:00', '09:02:00', '09:03:00', '09:04:00', '09:05:00']);
  assert.deepEqual(seen.missed, []);
  assert.equal(seen.setBack, 0);
});
