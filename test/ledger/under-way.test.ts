import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Action } from '../../src/ledger/action.ts';
import { UnderWay } from '../../src/ledger/under-way.ts';

const actions = (...keys: string[]) => keys.map((key) => ({ key }) as Action);
const keysOf = (due: readonly Action[]) => due.map(({ key }) => key);

/** A work that ends when it is told to. */
function held(): {
  work: () => Promise<boolean>;
  end: (usable: boolean) => void;
  fail: (error: Error) => void;
} {
  let end = (_: boolean): void => {};
  let fail = (_: Error): void => {};
  const ended = new Promise<boolean>((resolve, reject) => {
    end = resolve;
    fail = reject;
  });
  return { work: () => ended, end, fail };
}

test('what is in hand is not begun a second time, until it is out of hand', async () => {
  const underWay = new UnderWay();
  const { work, end } = held();
  underWay.begin(actions('a', 'b'), work);
  assert.equal(underWay.size, 2);
  assert.deepEqual(keysOf(underWay.without(actions('a', 'b', 'c'))), ['c']);
  end(true);
  await underWay.next();
  assert.equal(underWay.size, 0);
  assert.deepEqual(keysOf(underWay.without(actions('a', 'c'))), ['a', 'c']);
  assert.ok(underWay.usable);
});

test('nothing more begins once a work has failed, and the failure is told when all have ended', async () => {
  const underWay = new UnderWay();
  const [first, second] = [held(), held()];
  underWay.begin(actions('a'), first.work);
  underWay.begin(actions('b'), second.work);
  first.fail(new Error('the ledger is away'));
  await underWay.next();
  assert.ok(!underWay.usable);
  assert.deepEqual(keysOf(underWay.without(actions('a', 'b'))), ['a'], 'the other is in hand still');
  second.end(true);
  await assert.rejects(underWay.all(), /the ledger is away/);
});

test('nothing more begins once the connection may not be used', async () => {
  const underWay = new UnderWay();
  underWay.begin(actions('a'), async () => false);
  await underWay.all();
  assert.ok(!underWay.usable);
});
