import { parseArgs } from 'node:util';

/** What `npm run bench -- …` takes. */
export interface BenchOptions {
  /** Actions of the end-to-end run and rows of the bare ledger. */
  actions: number;
  /** Rows of a poll. */
  rows: number;
  iterations: number;
  /** Lanes of the destination, and workers of the bare ledger. */
  lanes: number;
  /** Print one JSON object instead of the table. */
  json: boolean;
  /** Measure one of them only; the others' ratios are then null. */
  only: 'end-to-end' | 'workers' | 'poll' | undefined;
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
      json: { type: 'boolean', default: false },
      only: { type: 'string' },
      profile: { type: 'string' },
    },
  });
  const { only } = values;
  if (only !== undefined && only !== 'end-to-end' && only !== 'workers' && only !== 'poll') {
    throw new Error(`--only ${only}: write end-to-end, workers or poll`);
  }
  return {
    actions: count('actions', values.actions),
    rows: count('rows', values.rows),
    iterations: count('iterations', values.iterations),
    lanes: count('lanes', values.lanes),
    json: values.json,
    only,
    profile: values.profile,
  };
}

function count(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`--${name} ${text}: write a whole number from 1`);
  return value;
}
