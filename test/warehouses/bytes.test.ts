import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesOf, shownBytes, sizePattern } from '../../src/warehouses/bytes.ts';

test('a size is bytes by its letter', () => {
  const sizes: [string, bigint][] = [
    ['0B', 0n],
    ['10MB', 10_000_000n],
    ['1.5 GB', 1_500_000_000n],
    ['10MiB', 10_485_760n],
    ['2TB', 2_000_000_000_000n],
  ];
  for (const [size, bytes] of sizes) {
    assert.match(size, sizePattern);
    assert.equal(bytesOf(size), bytes);
  }
  for (const wrong of ['10', 'MB', '10mb', '10 M', '-1GB']) assert.doesNotMatch(wrong, sizePattern);
});

test('bytes are shown short', () => {
  assert.deepEqual([0n, 999n, 1_234_000_000n, 5_000n, 3_000_000_000_000_000n].map(shownBytes), [
    '0 B',
    '999 B',
    '1.2 GB',
    '5.0 KB',
    '3000.0 TB',
  ]);
});
