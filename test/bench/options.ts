import { parseArgs } from 'node:util';

/** What `--only` may name. `memory` is measured only when it is named. */
export const measurements = [
  'end-to-end',
  'workers',
  'poll',
  'diff',
  'quota',
  'history',
  'triggers',
  'memory',
] as const;
export type MeasurementName = (typeof measurements)[number];
const usual = measurements.filter((name) => name !== 'memory');

/** What `npm run bench -- …` takes. */
export interface BenchOptions {
  /** Actions of the end-to-end run and rows of the bare ledger. */
  actions: number;
  /** Rows of a poll. */
  rows: number;
  iterations: number;
  /** Lanes of the destination, and workers of the bare ledger. */
  lanes: number;
  /** Windows of the vendor's limit, of 10 s each, over which its use is measured. */
  windows: number;
  /** Rows of the ledger that a poll and a claim have behind them. */
  history: number;
  /** Rows that enter a signal in a second, for so many seconds. */
  signalsPerSecond: number;
  seconds: number;
  /** Print one JSON object instead of the table. */
  json: boolean;
  /** What to measure; the ratios of the others are null. */
  only: readonly MeasurementName[];
  /** Folder for CPU profiles of the measured processes. */
  profile: string | undefined;
}

/** @throws Error that names the argument */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      actions: { type: 'string', default: '100000' },
      rows: { type: 'string', default: '1000000' },
      iterations: { type: 'string', default: '3' },
      lanes: { type: 'string', default: '4' },
      windows: { type: 'string', default: '4' },
      history: { type: 'string', default: '10000000' },
      'signals-per-second': { type: 'string', default: '833' },
      seconds: { type: 'string', default: '10' },
      json: { type: 'boolean', default: false },
      only: { type: 'string' },
      profile: { type: 'string' },
    },
  });
  return {
    actions: count('actions', values.actions),
    rows: count('rows', values.rows),
    iterations: count('iterations', values.iterations),
    lanes: count('lanes', values.lanes),
    windows: count('windows', values.windows),
    history: count('history', values.history),
    signalsPerSecond: count('signals-per-second', values['signals-per-second']),
    seconds: count('seconds', values.seconds),
    json: values.json,
    only: values.only === undefined ? usual : names(values.only),
    profile: values.profile,
  };
}

/** Of the names in a list with commas. */
function names(text: string): MeasurementName[] {
  return text.split(',').map((word) => {
    const name = measurements.find((one) => one === word.trim());
    if (name === undefined) throw new Error(`--only ${word}: write some of ${measurements.join(',')}`);
    return name;
  });
}

function count(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`--${name} ${text}: write a whole number from 1`);
  return value;
}
