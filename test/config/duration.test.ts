import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { duration, parseDuration } from '../../src/config/duration.ts';

test('units are what they are called', () => {
  assert.deepEqual(
    ['500ms', '30s', '5m', '1.5h', '24h', '14d', '2w'].map(parseDuration),
    [500, 30_000, 300_000, 5_400_000, 86_400_000, 1_209_600_000, 1_209_600_000],
  );
});

test('whatever is not a number and one unit is refused', () => {
  for (const text of [
    '',
    '5',
    '5 m',
    '5 minutes',
    '-5m',
    '5M',
    '1h30m',
    '٣m',
    '5m\n',
    '.5h',
    '1e3s',
    '9999999d',
    '0.0001ms',
  ])
    assert.equal(parseDuration(text), undefined, JSON.stringify(text));
});

test('every whole number of every unit is exact', () => {
  const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  fc.assert(
    fc.property(
      fc.nat(3650),
      fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[])),
      (amount, unit) => assert.equal(parseDuration(`${amount}${unit}`), amount * units[unit]),
    ),
  );
});

test('any other value is an issue, never an exception', () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      const result = duration().safeParse(value);
      assert.equal(result.success, typeof value === 'string' && (parseDuration(value) ?? 0) > 0);
    }),
  );
});
