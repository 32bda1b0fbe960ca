import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Diff, diffs } from '../../src/config/model.ts';
import type { DiffPolled } from './diff-poll.ts';
import { type Bench, median, type WarehouseKind } from './measurement.ts';
import { makePlace } from './place.ts';
import { changeSome, diffFiles, pollRows, writeProject } from './project-files.ts';

/** Of one way to compare, as shares of `diff: rows`, which fetches every member; and the seconds themselves. */
export interface DiffFigures {
  seconds: number;
  /** One row of a thousand changed: time and bytes that left the warehouse. */
  time: number;
  bytes: number;
  /** Nothing changed. */
  unchangedSeconds: number;
  unchangedTime: number;
  unchangedBytes: number;
}

type Round = Record<Diff, { changed: DiffPolled; unchanged: DiffPolled }>;

/** Every way to compare the same rows, in turn, each round beginning with another, so that all meet the same machine. */
export async function measureDiff(
  bench: Bench,
  warehouse: WarehouseKind,
): Promise<Record<Diff, DiffFigures>> {
  const folder = await mkdtemp(join(tmpdir(), 'readback-bench-'));
  const ledger = await bench.server.create();
  const place = await makePlace(bench, warehouse, folder);
  try {
    await place.write(pollRows(warehouse, bench.options.rows));
    await writeProject(folder, diffFiles(place.yaml));
    const poller = await bench.start('diff-poll.ts', { root: folder, url: ledger.url, env: place.env });
    for (const diff of diffs) await poller.ask('baseline', diff);
    const rounds: Round[] = [];
    const wanted = Math.floor(bench.options.rows / 1000);
    // The first warms up.
    for (let number = 0; number <= bench.options.iterations; number += 1) {
      await place.write(changeSome);
      const round: Partial<Round> = {};
      for (const diff of [...diffs.slice(number % diffs.length), ...diffs.slice(0, number % diffs.length)]) {
        const changed = await poller.ask<DiffPolled>('poll', diff);
        const unchanged = await poller.ask<DiffPolled>('poll', diff);
        if (changed.changed !== wanted || unchanged.changed !== 0)
          throw new Error(`void: diff ${diff} found ${changed.changed} and ${unchanged.changed} changes`);
        round[diff] = { changed, unchanged };
      }
      if (number > 0) rounds.push(round as Round);
    }
    await poller.end();
    return Object.fromEntries(diffs.map((diff) => [diff, figuresOf(rounds, diff)])) as Record<
      Diff,
      DiffFigures
    >;
  } finally {
    await place.remove();
    await ledger.drop();
    await rm(folder, { recursive: true, force: true });
  }
}

function figuresOf(rounds: readonly Round[], diff: Diff): DiffFigures {
  const middle = (of: (round: Round) => number) => median(rounds.map(of));
  return {
    seconds: middle((round) => round[diff].changed.seconds),
    time: middle((round) => round[diff].changed.seconds / round.rows.changed.seconds),
    bytes: middle((round) => round[diff].changed.bytes / round.rows.changed.bytes),
    unchangedSeconds: middle((round) => round[diff].unchanged.seconds),
    unchangedTime: middle((round) => round[diff].unchanged.seconds / round.rows.unchanged.seconds),
    unchangedBytes: middle((round) => round[diff].unchanged.bytes / round.rows.unchanged.bytes),
  };
}
