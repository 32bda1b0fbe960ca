import type { Diff } from '../../src/config/model.ts';
import { Apart } from './apart.ts';
import { compileTree } from './compiled.ts';
import { startLedgerServer } from './ledger-server.ts';
import { describeMachine } from './machine.ts';
import { type DiffFigures, measureDiff } from './measure-diff.ts';
import { type EndToEndFigures, measureEndToEnd } from './measure-end-to-end.ts';
import { measureHistory } from './measure-history.ts';
import { measurePoll, type PollFigures } from './measure-poll.ts';
import { measureQuota, type QuotaFigures } from './measure-quota.ts';
import { measureTriggers, type TriggerFigures, triggerKinds } from './measure-triggers.ts';
import { measureWorkers, type WorkersFigures } from './measure-workers.ts';
import { type Bench, type WarehouseKind, warehouseKinds } from './measurement.ts';
import type { BenchOptions, MeasurementName } from './options.ts';
import { receiverKinds } from './receiver.ts';
import { type Measured, type Summary, summarise } from './summary.ts';

/** Runs the whole benchmark. Throws, without any figure, when one of the measured runs was not sound. */
export async function runBench(options: BenchOptions, tell: (line: string) => void): Promise<Summary> {
  const compiled = await compileTree();
  const children = new Set<Apart>();
  try {
    const server = await startLedgerServer();
    try {
      const start: Bench['start'] = async (file, given, profile) => {
        const child = await Apart.start(compiled.file(file), given, profile);
        children.add(child);
        return child;
      };
      const bench = { options, server, start };
      const wanted = (name: MeasurementName) => options.only.includes(name);
      return summarise(describeMachine(server.version), options, {
        endToEnd: wanted('end-to-end') ? await endToEndRuns(bench, tell) : [],
        workers: wanted('workers') ? await workersRuns(bench, tell) : [],
        polls: wanted('poll') ? await pollRuns(bench, tell) : new Map(),
        diffs: wanted('diff') ? await diffRuns(bench, tell) : new Map(),
        quota: wanted('quota') ? await quotaRuns(bench, tell) : [],
        history: wanted('history') ? await measureHistory(bench, tell) : undefined,
        triggers: wanted('triggers') ? await triggerRuns(bench, tell) : [],
        memory: wanted('memory') ? await memoryRuns(bench, tell) : new Map(),
      });
    } finally {
      // Those that were asked to end have ended; the others are left over from a failure.
      for (const child of children) child.stop();
      await server.close();
    }
  } finally {
    await compiled.remove();
  }
}

async function endToEndRuns(bench: Bench, tell: (line: string) => void): Promise<EndToEndFigures[]> {
  const runs: EndToEndFigures[] = [];
  for (let run = 1; run <= bench.options.iterations; run += 1) {
    const figures = await measureEndToEnd(bench);
    const bare = Math.round(figures.bareActionsPerSecond);
    const whole = Math.round(figures.endToEndActionsPerSecond);
    tell(`end to end ${run}/${bench.options.iterations}: ${whole} actions/s, bare ledger ${bare}/s`);
    runs.push(figures);
  }
  return runs;
}

async function workersRuns(bench: Bench, tell: (line: string) => void): Promise<WorkersFigures[]> {
  const runs: WorkersFigures[] = [];
  for (let run = 1; run <= bench.options.iterations; run += 1) {
    const figures = await measureWorkers(bench);
    const [one, four] = [figures.oneWorkerWaitingPerSecond, figures.fourWorkersWaitingPerSecond];
    tell(`workers ${run}/${bench.options.iterations}: one ${Math.round(one)}/s, four ${Math.round(four)}/s`);
    runs.push(figures);
  }
  return runs;
}

async function pollRuns(
  bench: Bench,
  tell: (line: string) => void,
): Promise<Map<WarehouseKind, PollFigures>> {
  const polls = new Map<WarehouseKind, PollFigures>();
  for (const warehouse of warehouseKinds) {
    const figures = await measurePoll(bench, warehouse);
    tell(
      `${warehouse}: poll ${figures.pollSeconds.toFixed(2)} s, driver ${figures.driverReadSeconds.toFixed(2)} s`,
    );
    polls.set(warehouse, figures);
  }
  return polls;
}

async function diffRuns(bench: Bench, tell: (line: string) => void): Promise<Measured['diffs']> {
  const runs: [WarehouseKind, Record<Diff, DiffFigures>][] = [];
  for (const warehouse of warehouseKinds) {
    const figures = await measureDiff(bench, warehouse);
    for (const [diff, { seconds, bytes }] of Object.entries(figures))
      tell(`${warehouse}, diff: ${diff}: ${seconds.toFixed(2)} s, ${bytes.toPrecision(2)} of the bytes`);
    runs.push([warehouse, figures]);
  }
  return new Map(runs);
}

/** One worker process alone, and three that share the connection. */
async function quotaRuns(bench: Bench, tell: (line: string) => void): Promise<QuotaFigures[]> {
  const runs: QuotaFigures[] = [];
  for (const processes of [1, 3]) {
    const figures = await measureQuota(bench, processes);
    tell(
      `quota, ${processes} worker processes: ${figures.use.toFixed(3)}, ${Math.round(figures.verifiedPerSecond)} verified/s`,
    );
    runs.push(figures);
  }
  return runs;
}

async function triggerRuns(bench: Bench, tell: (line: string) => void): Promise<TriggerFigures[]> {
  const runs: TriggerFigures[] = [];
  for (const into of receiverKinds)
    for (const kind of triggerKinds) {
      const figures = await measureTriggers(bench, kind, into);
      const { p50, p99, quietP50 } = figures;
      tell(`${kind}, commit to sent, into ${into}: p50 ${p50} ms, p99 ${p99} ms; quiet p50 ${quietP50} ms`);
      runs.push(figures);
    }
  return runs;
}

/** The same polls with as many rows, and with five times as many. */
async function memoryRuns(bench: Bench, tell: (line: string) => void): Promise<Map<string, number>> {
  const peaks = new Map<string, number>();
  for (const warehouse of warehouseKinds) {
    for (const times of [1, 5]) {
      const options = { ...bench.options, rows: bench.options.rows * times, iterations: 1 };
      const figures = await measurePoll({ ...bench, options }, warehouse);
      tell(`${warehouse}, ${options.rows} rows: peak ${figures.peakRssMb} MB`);
      peaks.set(`${warehouse}Poll${times === 1 ? '' : 'Of5TimesTheRows'}`, figures.peakRssMb);
    }
  }
  return peaks;
}
