import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nextTick, previousTick } from '../../src/engine/ticks.ts';

const zones = [
  'UTC',
  'Europe/Prague',
  'America/New_York',
  'Australia/Lord_Howe',
  'Africa/Casablanca',
  'Asia/Kathmandu',
];
const field = (least: number, most: number): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant('*') },
    { weight: 3, arbitrary: fc.integer({ min: least, max: most }).map(String) },
    { weight: 1, arbitrary: fc.integer({ min: 2, max: 15 }).map((step) => `*/${Math.min(step, most)}`) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.integer({ min: least, max: most }), fc.integer({ min: least, max: most }))
        .map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
    },
  );
const schedules = fc.record({
  cron: fc
    .tuple(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6))
    .map((fields) => fields.join(' ')),
  timezone: fc.constantFrom(...zones),
});
const moments = fc.date({ min: new Date('2016-01-01'), max: new Date('2034-12-31'), noInvalidDate: true });

test('forward and backward, a schedule has the same ticks', () => {
  fc.assert(
    fc.property(schedules, moments, (schedule, now) => {
      const next = nextTick(schedule, now);
      assert.ok(next > now);
      assert.deepEqual(previousTick(schedule, next), next, 'a tick is its own previous one');
      const previous = previousTick(schedule, now);
      assert.ok(previous <= now);
      assert.deepEqual(nextTick(schedule, new Date(previous.getTime() - 1)), previous);
      assert.deepEqual(nextTick(schedule, previous), next, 'nothing lies between the two around a moment');
    }),
    { numRuns: 300 },
  );
});
