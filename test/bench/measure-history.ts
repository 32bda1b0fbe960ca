import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Apart } from './apart.ts';
import type { Claimed } from './history.ts';
import { type Bench, median } from './measurement.ts';
import type { Polled } from './poll.ts';
import { changeSome, historyFiles, pollRows, writeProject } from './project-files.ts';

/** Members of the signal, unless `--rows` is smaller. A hundredth is changed by each poll, twice as many are claimed. */
const mostMembers = 100_000;
/** A poll and a claim take tenths of a second: more of them than of others, for a steady median. */
const roundsOfIteration = 3;

export interface HistoryFigures {
  pollWithHistory: number;
  claimWithHistory: number;
  emptyPollSeconds: number;
  fullPollSeconds: number;
  emptyClaimSeconds: number;
  fullClaimSeconds: number;
  fillSeconds: number;
}

/** The same polls and claims on an empty ledger and on one with history, in turn, each ledger in a database of its own. */
export async function measureHistory(bench: Bench, tell: (line: string) => void): Promise<HistoryFigures> {
  const members = Math.min(mostMembers, bench.options.rows);
  const folder = await mkdtemp(join(tmpdir(), 'readback-bench-'));
  const ledgers = [await bench.server.create(), await bench.server.create()];
  try {
    const write = async (sql: string) => {
      const writer = await bench.start('write-warehouse.ts', { path: join(folder, 'warehouse.duckdb'), sql });
      await writer.ask('run');
      await writer.end();
    };
    await writeProject(folder, historyFiles);
    await write(pollRows('duckdb', members));
    const env = { ACCESS_TOKEN: 'none' };
    const children: Apart[] = [];
    for (const { url } of ledgers) children.push(await bench.start('history.ts', { root: folder, url, env }));
    for (const child of children) await child.ask('baseline');
    const [empty, full] = children as [Apart, Apart];
    await empty.ask('fill', 0);
    const started = performance.now();
    await full.ask('fill', bench.options.history);
    const fillSeconds = (performance.now() - started) / 1000;
    tell(`history: ${bench.options.history} rows filled in ${Math.round(fillSeconds)} s`);
    const rounds = roundsOfIteration * bench.options.iterations;
    const figures = await inTurn(empty, full, members / 100, rounds, () => write(changeOnePercent));
    for (const child of children) await child.end();
    tell(`history: poll ${figures.pollWithHistory.toFixed(2)}, claim ${figures.claimWithHistory.toFixed(2)}`);
    return { ...figures, fillSeconds };
  } finally {
    for (const ledger of ledgers) await ledger.drop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** One row of a hundred. */
const changeOnePercent = changeSome
  .replace('right(customer_id, 3)', 'right(customer_id, 2)')
  .replace("'500'", "'50'");

async function inTurn(
  empty: Apart,
  full: Apart,
  changed: number,
  rounds: number,
  change: () => Promise<void>,
) {
  const claimed = 2 * changed;
  const polls: [number[], number[]] = [[], []];
  const claims: [number[], number[]] = [[], []];
  // The first of each warms up.
  for (let round = 0; round <= rounds; round += 1) {
    await change();
    for (const [at, child] of [empty, full].entries()) {
      const polled = await child.ask<Polled>('poll');
      if (polled.changed !== changed) throw new Error(`void: ${polled.changed} changes were found`);
      await child.ask('plan', claimed);
      const taken = await child.ask<Claimed>('claim');
      if (taken.actions !== claimed) throw new Error(`void: ${taken.actions} actions were claimed`);
      if (round === 0) continue;
      polls[at]?.push(polled.seconds);
      claims[at]?.push(taken.seconds);
    }
  }
  const [emptyPollSeconds, fullPollSeconds] = [median(polls[0]), median(polls[1])];
  const [emptyClaimSeconds, fullClaimSeconds] = [median(claims[0]), median(claims[1])];
  return {
    pollWithHistory: fullPollSeconds / emptyPollSeconds,
    claimWithHistory: fullClaimSeconds / emptyClaimSeconds,
    emptyPollSeconds,
    fullPollSeconds,
    emptyClaimSeconds,
    fullClaimSeconds,
  };
}
