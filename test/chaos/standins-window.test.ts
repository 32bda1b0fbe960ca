import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Window } from './standins/window.ts';

test('a window slides, and a refused request counts in it', () => {
  const window = new Window({ requests: 2, perMs: 1000 });
  assert.deepEqual([window.count(0), window.count(100)], [0, 0]);
  // Room again when only the one of 200 is left in the window: after 1100.
  assert.equal(window.count(200), 900);
  // 0 has left; 100 and 200 have not.
  assert.equal(window.count(1050), 150);
  assert.equal(window.count(1210), 0);
});

test('a window forgets what has left it, at 100,000 requests too', () => {
  const window = new Window({ requests: 10, perMs: 1000 });
  for (let request = 0; request < 100_000; request++) assert.equal(window.count(request * 101), 0);
  const burst = Array.from({ length: 12 }, () => window.count(100_000 * 101 + 2000));
  assert.deepEqual(
    burst.map((wait) => wait > 0),
    [...Array<boolean>(10).fill(false), true, true],
  );
});
