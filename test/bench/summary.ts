import Table from 'cli-table3';
import type { Diff } from '../../src/config/model.ts';
import type { Machine } from './machine.ts';
import type { DiffFigures } from './measure-diff.ts';
import type { EndToEndFigures } from './measure-end-to-end.ts';
import type { HistoryFigures } from './measure-history.ts';
import type { PollFigures } from './measure-poll.ts';
import type { QuotaFigures } from './measure-quota.ts';
import { type TriggerFigures, triggerKinds } from './measure-triggers.ts';
import type { WorkersFigures } from './measure-workers.ts';
import { median, type WarehouseKind } from './measurement.ts';
import type { BenchOptions } from './options.ts';
import { receiverKinds } from './receiver.ts';

/** What `--json` prints. A ratio that was not measured (`--only`) is null. */
export interface Summary {
  machine: Machine;
  sizes: Pick<BenchOptions, 'actions' | 'rows' | 'iterations' | 'lanes' | 'windows' | 'history'>;
  ratios: {
    endToEndVsBareLedger: number | null;
    fourWorkersVsOne: number | null;
    quotaUse: number | null;
    /** Of a poll that finds one row of a thousand changed. */
    pollVsDriverRead: number | null;
    unchangedPollVsDriverRead: number | null;
    /** Of polls that compare by digests or in the warehouse: time and bytes ÷ those of a poll that fetches every member. */
    digestTimeVsFullRead: number | null;
    digestBytesVsFullRead: number | null;
    digestUnchangedBytesVsFullRead: number | null;
    warehouseTimeVsFullRead: number | null;
    warehouseBytesVsFullRead: number | null;
    warehouseUnchangedBytesVsFullRead: number | null;
    pollWithHistory: number | null;
    claimWithHistory: number | null;
  };
  peakRssMb: Record<string, number>;
  figures: Record<string, number>;
}

export interface Measured {
  endToEnd: readonly EndToEndFigures[];
  workers: readonly WorkersFigures[];
  polls: ReadonlyMap<WarehouseKind, PollFigures>;
  diffs: ReadonlyMap<WarehouseKind, Readonly<Record<Diff, DiffFigures>>>;
  quota: readonly QuotaFigures[];
  history: HistoryFigures | undefined;
  triggers: readonly TriggerFigures[];
  memory: ReadonlyMap<string, number>;
}

/** Medians over the iterations; a ratio is the median of the ratios of each iteration. Of peaks the highest counts. */
export function summarise(machine: Machine, options: BenchOptions, measured: Measured): Summary {
  const { endToEnd, workers, polls, diffs, quota, history, triggers, memory } = measured;
  const { actions, rows, iterations, lanes, windows } = options;
  const middle = (name: keyof EndToEndFigures) => median(endToEnd.map((one) => one[name]));
  const figures: Record<string, number> = {};
  const peakRssMb: Record<string, number> = {};
  if (endToEnd.length > 0) {
    for (const name of Object.keys(endToEnd[0] ?? {}) as (keyof EndToEndFigures)[]) {
      if (name !== 'peakRssMb') figures[name] = round(middle(name));
    }
    peakRssMb.endToEnd = Math.max(...endToEnd.map((one) => one.peakRssMb));
  }
  for (const name of Object.keys(workers[0] ?? {}) as (keyof WorkersFigures)[]) {
    figures[name] = round(median(workers.map((one) => one[name])));
  }
  const waitingRatios = workers.map((one) => one.fourWorkersWaitingPerSecond / one.oneWorkerWaitingPerSecond);
  const busyRatios = workers.map((one) => one.fourWorkersPerSecond / one.oneWorkerPerSecond);
  if (workers.length > 0) figures.fourWorkersVsOneWithoutLatency = round(median(busyRatios));
  if (polls.size > 0) peakRssMb.poll = Math.max(...[...polls.values()].map((one) => one.peakRssMb));
  for (const [warehouse, poll] of polls) {
    figures[`${warehouse}PollVsDriverRead`] = round(poll.changedRatio);
    figures[`${warehouse}PollSeconds`] = round(poll.changedPollSeconds);
    figures[`${warehouse}DriverReadSeconds`] = round(poll.driverReadSeconds);
    figures[`${warehouse}UnchangedPollVsDriverRead`] = round(poll.ratio);
    figures[`${warehouse}UnchangedPollSeconds`] = round(poll.pollSeconds);
    figures[`${warehouse}BaselineSeconds`] = round(poll.baselineSeconds);
    peakRssMb[`${warehouse}Poll`] = poll.peakRssMb;
    peakRssMb[`${warehouse}DriverRead`] = poll.driverPeakRssMb;
  }
  for (const [warehouse, byDiff] of diffs) {
    for (const [diff, figuresOfDiff] of Object.entries(byDiff))
      for (const [name, value] of Object.entries(figuresOfDiff))
        figures[`${warehouse}Diff${capital(diff)}${capital(name)}`] = round(value);
  }
  for (const { processes, use, verifiedPerSecond } of quota) {
    figures[`quotaUseOf${processes}Processes`] = round(use);
    figures[`verifiedPerSecondOf${processes}Processes`] = round(verifiedPerSecond);
  }
  for (const [name, value] of Object.entries(history ?? {})) figures[name] = round(value);
  for (const { kind, into, ...took } of triggers)
    for (const [name, value] of Object.entries(took))
      figures[`${kind}Into${capital(into)}${capital(name)}`] = round(value);
  for (const [name, megabytes] of memory) peakRssMb[name] = megabytes;
  const worst = (values: readonly number[], of: (...all: number[]) => number) =>
    values.length > 0 ? round(of(...values)) : null;
  const pollRatios = [...polls.values()];
  const worstDiff = (diff: Diff, name: keyof DiffFigures) =>
    worst(
      [...diffs.values()].map((byDiff) => byDiff[diff][name]),
      Math.max,
    );
  const endToEndRatios = endToEnd.map((one) => one.endToEndActionsPerSecond / one.bareActionsPerSecond);
  return {
    machine,
    sizes: { actions, rows, iterations, lanes, windows, history: options.history },
    ratios: {
      endToEndVsBareLedger: endToEnd.length > 0 ? round(median(endToEndRatios)) : null,
      fourWorkersVsOne: workers.length > 0 ? round(median(waitingRatios)) : null,
      quotaUse: worst(
        quota.map((one) => one.use),
        Math.min,
      ),
      pollVsDriverRead: worst(
        pollRatios.map((one) => one.changedRatio),
        Math.max,
      ),
      unchangedPollVsDriverRead: worst(
        pollRatios.map((one) => one.ratio),
        Math.max,
      ),
      digestTimeVsFullRead: worstDiff('digest', 'time'),
      digestBytesVsFullRead: worstDiff('digest', 'bytes'),
      digestUnchangedBytesVsFullRead: worstDiff('digest', 'unchangedBytes'),
      warehouseTimeVsFullRead: worstDiff('warehouse', 'time'),
      warehouseBytesVsFullRead: worstDiff('warehouse', 'bytes'),
      warehouseUnchangedBytesVsFullRead: worstDiff('warehouse', 'unchangedBytes'),
      pollWithHistory: history ? round(history.pollWithHistory) : null,
      claimWithHistory: history ? round(history.claimWithHistory) : null,
    },
    peakRssMb,
    figures,
  };
}

/** For people: what was compared, and how it came out. */
export function toTable({ machine, sizes, ratios, peakRssMb, figures }: Summary): string {
  const table = new Table({ head: ['measurement', 'figure'], style: { head: [], border: [] } });
  const put = (name: string, value: number | null | undefined, unit = '') => {
    if (value !== null && value !== undefined) table.push([name, `${value.toLocaleString('en')}${unit}`]);
  };
  put('end to end ÷ bare ledger', ratios.endToEndVsBareLedger);
  put('  bare ledger', figures.bareActionsPerSecond, ' actions/s');
  put('  end to end', figures.endToEndActionsPerSecond, ' actions/s');
  put('  processor, bare ledger', figures.bareCpuMicroseconds, ' µs/action');
  for (const process of ['engine', 'ledger', 'sandbox']) {
    put(`  processor, ${process}`, figures[`${process}CpuMicroseconds`], ' µs/action');
  }
  put('four workers ÷ one', ratios.fourWorkersVsOne);
  put('  one worker', figures.oneWorkerWaitingPerSecond, ' actions/s');
  put('  four workers', figures.fourWorkersWaitingPerSecond, ' actions/s');
  put('  without latency: ratio', figures.fourWorkersVsOneWithoutLatency);
  put('  without latency: one worker', figures.oneWorkerPerSecond, ' actions/s');
  put('  without latency: four workers', figures.fourWorkersPerSecond, ' actions/s');
  put('use of the request limit (the worse)', ratios.quotaUse);
  for (const processes of [1, 3]) {
    put(`  worker processes: ${processes}`, figures[`quotaUseOf${processes}Processes`]);
    put('  verified', figures[`verifiedPerSecondOf${processes}Processes`], ' records/s');
  }
  put('poll with history ÷ without', ratios.pollWithHistory);
  put('  without', figures.emptyPollSeconds, ' s');
  put('claim with history ÷ without', ratios.claimWithHistory);
  put('  without', figures.emptyClaimSeconds, ' s');
  put('poll, 0.1 % changed ÷ driver read (the worse)', ratios.pollVsDriverRead);
  put('unchanged poll ÷ driver read (the worse)', ratios.unchangedPollVsDriverRead);
  for (const warehouse of ['duckdb', 'postgres']) {
    put(`  ${warehouse}: poll, 0.1 % changed`, figures[`${warehouse}PollSeconds`], ' s');
    put('    ÷ driver read', figures[`${warehouse}PollVsDriverRead`]);
    put(`  ${warehouse}: unchanged poll`, figures[`${warehouse}UnchangedPollSeconds`], ' s');
    put('    ÷ driver read', figures[`${warehouse}UnchangedPollVsDriverRead`]);
    put(`  ${warehouse}: driver read`, figures[`${warehouse}DriverReadSeconds`], ' s');
    put(`  ${warehouse}: baseline`, figures[`${warehouse}BaselineSeconds`], ' s');
  }
  for (const diff of ['digest', 'warehouse'] as const) {
    put(`diff: ${diff}, 0.1 % changed: time ÷ full read (the worse)`, ratios[`${diff}TimeVsFullRead`]);
    put('  bytes ÷ full read', ratios[`${diff}BytesVsFullRead`]);
    put('  nothing changed: bytes ÷ full read', ratios[`${diff}UnchangedBytesVsFullRead`]);
  }
  for (const warehouse of ['Duckdb', 'Postgres'])
    for (const diff of ['Digest', 'Rows', 'Warehouse']) {
      const name = `${warehouse.toLowerCase()}Diff${diff}`;
      put(`  ${warehouse}: diff: ${diff.toLowerCase()}, 0.1 % changed`, figures[`${name}Seconds`], ' s');
      put('    nothing changed', figures[`${name}UnchangedSeconds`], ' s');
    }
  for (const into of receiverKinds)
    for (const kind of triggerKinds) {
      const took = (name: string) => figures[`${kind}Into${capital(into)}${name}`];
      put(`commit to sent, ${kind}, into ${into}: p50`, took('P50'), ' ms');
      put('  p99', took('P99'), ' ms');
      put('  one row in 100 ms: p50', took('QuietP50'), ' ms');
      put('  one row in 100 ms: p99', took('QuietP99'), ' ms');
      for (const process of ['Engine', 'Ledger', 'Warehouse', 'Destination'])
        put(`  processor, ${process.toLowerCase()}`, took(`${process}CpuMicroseconds`), ' µs/action');
    }
  for (const [name, megabytes] of Object.entries(peakRssMb)) put(`peak memory: ${name}`, megabytes, ' MB');
  const place = `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.platform}`;
  const size = `${sizes.actions.toLocaleString('en')} actions, ${sizes.rows.toLocaleString('en')} rows, ${sizes.lanes} lanes, medians of ${sizes.iterations}`;
  return `${place}\nNode ${machine.node}, Postgres ${machine.postgres}, ${machine.date}: ${size}\n${table.toString()}`;
}

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** Three significant digits below a hundred, none after the point above. */
function round(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}
