import assert from 'node:assert/strict';
import { test } from 'node:test';
import { draw, drawBelow, drawHex, shuffled } from './random.ts';

test('a draw is the same for ever: a drill of last year can be run again', () => {
  assert.equal(drawHex(1, 'token', 3), '67990df0');
});

test('names do not run into each other, and every argument counts', () => {
  const draws = [draw(1, 'a', 'bc'), draw(1, 'ab', 'c'), draw(1, 'abc'), draw(2, 'abc'), draw(1, 'abc', 0)];
  assert.equal(new Set(draws).size, draws.length);
});

test('100,000 draws are spread evenly, and so are neighbours', () => {
  const buckets = new Array<number>(20).fill(0);
  let rising = 0;
  for (let index = 0; index < 100_000; index++) {
    buckets[drawBelow(20, 42, 'desk', 'fault', index)] =
      (buckets[drawBelow(20, 42, 'desk', 'fault', index)] ?? 0) + 1;
    if (draw(42, 'desk', 'fault', index) < draw(42, 'desk', 'fault', index + 1)) rising += 1;
  }
  // 5,000 are expected in each; four standard deviations are 276.
  for (const bucket of buckets) assert.ok(Math.abs(bucket - 5000) < 276, String(bucket));
  assert.ok(Math.abs(rising - 50_000) < 600, String(rising));
});

test('seeds next to each other have nothing in common', () => {
  let same = 0;
  for (let index = 0; index < 10_000; index++) {
    if (drawBelow(10, 1, 'x', index) === drawBelow(10, 2, 'x', index)) same += 1;
  }
  assert.ok(Math.abs(same - 1000) < 120, String(same));
});

test('a shuffled list has the same members in another order', () => {
  const list = Array.from({ length: 50 }, (_, index) => index);
  const other = shuffled(list, 1, 'order');
  assert.notDeepEqual(other, list);
  assert.deepEqual(
    other.toSorted((a, b) => a - b),
    list,
  );
});
