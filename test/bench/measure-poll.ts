import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Apart } from './apart.ts';
import { type Bench, median, type WarehouseKind } from './measurement.ts';
import { makePlace, type Place } from './place.ts';
import type { Polled } from './poll.ts';
import { changeSome, pollFiles, pollRows, rowsOfPoll, writeProject } from './project-files.ts';

export interface PollFigures {
  /** Medians of the ratios of neighbouring measurements: nothing has changed, one row of a thousand has. */
  ratio: number;
  changedRatio: number;
  pollSeconds: number;
  driverReadSeconds: number;
  /** A poll that finds one row of a thousand changed. */
  changedPollSeconds: number;
  baselineSeconds: number;
  peakRssMb: number;
  driverPeakRssMb: number;
}

/** Polls of one warehouse in turn with bare reads of the same rows, so that both meet the same state of the machine. */
export async function measurePoll(bench: Bench, warehouse: WarehouseKind): Promise<PollFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'readback-bench-'));
  const ledger = await bench.server.create();
  const place = await makePlace(bench, warehouse, folder);
  try {
    await place.write(pollRows(warehouse, bench.options.rows));
    await writeProject(folder, pollFiles(place.yaml));
    const poller = await bench.start(
      'poll.ts',
      { root: folder, url: ledger.url, env: place.env },
      bench.options.profile,
    );
    const reader = await bench.start('driver-read.ts', { warehouse, place: place.place, sql: rowsOfPoll });
    const figures = await inTurn(bench, poller, reader);
    // A DuckDB file cannot be written while a reader holds it.
    const driverPeakRssMb = await reader.end();
    const changedPolls: number[] = [];
    const ratios: number[] = [];
    for (let round = 0; round < bench.options.iterations; round += 1) {
      await place.write(changeSome);
      const { changed, seconds } = await poller.ask<Polled>('poll');
      if (changed !== Math.floor(bench.options.rows / 1000))
        throw new Error(`void: ${changed} changes were found`);
      changedPolls.push(seconds);
      ratios.push(seconds / (await readOnce(bench, warehouse, place)));
    }
    return {
      ...figures,
      changedPollSeconds: median(changedPolls),
      changedRatio: median(ratios),
      driverPeakRssMb,
      peakRssMb: await poller.end(),
    };
  } finally {
    await place.remove();
    await ledger.drop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The bare read of a process that has read it once before. */
async function readOnce(bench: Bench, warehouse: WarehouseKind, { place }: Place): Promise<number> {
  const reader = await bench.start('driver-read.ts', { warehouse, place, sql: rowsOfPoll });
  await reader.ask('read');
  const { seconds } = await reader.ask<{ seconds: number }>('read');
  await reader.end();
  return seconds;
}

async function inTurn({ options }: Bench, poller: Apart, reader: Apart) {
  const baseline = await poller.ask<Polled>('baseline');
  const polls: number[] = [];
  const reads: number[] = [];
  // The first of each warms up.
  for (let round = 0; round <= options.iterations; round += 1) {
    const polled = await poller.ask<Polled>('poll');
    const read = await reader.ask<{ seconds: number; rows: number }>('read');
    if (polled.changed !== 0)
      throw new Error(`void: ${polled.changed} changes were found where there are none`);
    if (read.rows !== options.rows) throw new Error(`void: the driver read ${read.rows} rows`);
    if (round === 0) continue;
    polls.push(polled.seconds);
    reads.push(read.seconds);
  }
  return {
    ratio: median(polls.map((seconds, at) => seconds / (reads[at] ?? Number.NaN))),
    pollSeconds: median(polls),
    driverReadSeconds: median(reads),
    baselineSeconds: baseline.seconds,
  };
}
