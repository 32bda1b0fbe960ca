import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readOptions } from './options.ts';
import { runBench } from './run.ts';
import { toTable } from './summary.ts';

test('the benchmark measures, finds every action accounted for, and sums up', async () => {
  // Not the use of the request limit: that takes a minute for each number of processes, and nothing makes it shorter.
  const sizes =
    '--iterations 1 --actions 300 --rows 2000 --lanes 2 --history 5000 --signals-per-second 60 --seconds 1';
  const options = readOptions([
    ...sizes.split(' '),
    '--only',
    'end-to-end,workers,poll,diff,history,triggers',
  ]);
  const summary = await runBench(options, () => {});
  assert.ok((summary.ratios.endToEndVsBareLedger ?? 0) > 0);
  assert.ok((summary.ratios.fourWorkersVsOne ?? 0) > 0);
  assert.ok((summary.ratios.pollVsDriverRead ?? 0) > 0);
  assert.ok((summary.ratios.unchangedPollVsDriverRead ?? 0) > 0);
  assert.ok((summary.ratios.digestBytesVsFullRead ?? 0) > 0);
  // Where nothing has changed only a count of the snapshot and its faults is asked for.
  assert.ok((summary.ratios.warehouseUnchangedBytesVsFullRead ?? 1) < 0.01);
  assert.ok((summary.ratios.pollWithHistory ?? 0) > 0);
  assert.ok((summary.ratios.claimWithHistory ?? 0) > 0);
  assert.equal(summary.ratios.quotaUse, null);
  for (const name of ['replicateIntoTable', 'replicateIntoApi', 'listenIntoTable', 'listenIntoApi'])
    assert.ok((summary.figures[`${name}P50`] ?? 0) > 0, name);
  for (const name of ['endToEnd', 'poll', 'duckdbPoll', 'postgresPoll']) {
    assert.ok((summary.peakRssMb[name] ?? 0) > 20, name);
  }
  assert.match(toTable(summary), /end to end ÷ bare ledger/);
});

test('an argument that makes no sense is named', () => {
  assert.throws(() => readOptions(['--actions', 'many']), /--actions many/);
  assert.throws(() => readOptions(['--only', 'speed']), /--only speed/);
});
