import { type Effect, effects } from '../plan/action.ts';
import type { SignalPlan } from '../plan/plan.ts';
import { costText } from './cost.ts';
import { exitCodes } from './exit.ts';
import { formatRows, type OutputFormat, print, type Row, remark, toJsonText } from './output.ts';
import { pollColumns, pollRow } from './run-result.ts';

/** Rows that a table shows; JSON and CSV have all that were looked at. */
const rowsShown = 20;

/**
 * 1 when the poll would fail or be held, or an action would be refused or held. 3 when a destination gave no proper answer.
 * 2 when only project files are wrong.
 */
export function planExitCode(plans: readonly SignalPlan[], problems: number): number {
  const actions = plans.flatMap((plan) => plan.actions);
  if (plans.some(({ poll }) => poll.state === 'failed' || poll.state === 'held')) return exitCodes.attention;
  if (actions.some(({ effect }) => effect === 'refused' || effect === 'held')) return exitCodes.attention;
  if (actions.some(({ answered }) => !answered)) return exitCodes.unreachable;
  return problems > 0 ? exitCodes.wrongInput : exitCodes.done;
}

/** Prints polls, counts and rows. CSV has one line for each action that was looked at. */
export function printPlan(plans: readonly SignalPlan[], format: OutputFormat, exitCode: number): void {
  const rows = plans.flatMap(actionRows);
  if (format === 'json') print(toJsonText(asJson(plans, exitCode)));
  else if (format === 'csv') print(formatRows('csv', actionColumns, rows));
  else printForPeople(plans, rows);
}

function printForPeople(plans: readonly SignalPlan[], rows: readonly Row[]): void {
  print(formatRows('table', pollColumns, plans.map(pollOf)));
  const pairs = plans.flatMap(pairRows);
  const shown = countColumns.filter((column) => pairs.some((row) => row[column] !== 0));
  if (pairs.length > 0)
    print(`\n${formatRows('table', ['signal', 'destination', 'actions', ...shown], pairs)}`);
  const telling = rows.filter(({ effect }) => effect !== 'no_change');
  if (telling.length > 0) print(`\n${formatRows('table', actionColumns, telling.slice(0, rowsShown))}`);
  if (telling.length > rowsShown) remark(`${telling.length - rowsShown} more; --output json has all`);
  for (const plan of plans) for (const text of remarksOn(plan)) remark(text);
}

function remarksOn({ signal, poll, superseded, detected, scanned }: SignalPlan): string[] {
  const { state, entered, members } = poll;
  const silent = state === 'baseline' && entered === 0 && (members ?? 0) > 0;
  return [
    ...(scanned !== undefined ? [costText(signal, scanned)] : []),
    ...(silent
      ? [`${signal}: the first poll records ${members} members and acts on none (\`backfill: all\` would)`]
      : []),
    ...(superseded > 0 ? [`${signal}: ${superseded} actions of earlier polls would be superseded`] : []),
    ...(detected.size === 0 && state === 'done' ? [`${signal}: nothing to do`] : []),
  ];
}

const countColumns = [...effects, 'not_read'] as const;
const actionColumns = ['signal', 'destination', 'entity', 'transition', 'effect', 'fields', 'reason'];

function pollOf({ signal, poll }: SignalPlan): Row {
  return pollRow({ signal, ...poll });
}

function actionRows({ signal, actions }: SignalPlan): Row[] {
  return actions.map(({ answered: _, ...action }) => ({ signal, ...action }));
}

/** Counts by destination. What is beyond the limit is `not_read`, so that each row adds up. */
function pairRows({ signal, detected, actions }: SignalPlan): Row[] {
  return [...detected].map(([destination, number]) => {
    const own = actions.filter((action) => action.destination === destination);
    const count = (wanted: Effect) => own.filter(({ effect }) => effect === wanted).length;
    const counts = effects.map((effect) => [effect, count(effect)]);
    return {
      signal,
      destination,
      actions: number,
      ...Object.fromEntries(counts),
      not_read: number - own.length,
    };
  });
}

function asJson(plans: readonly SignalPlan[], exitCode: number): Record<string, unknown> {
  return {
    version: 1,
    exit_code: exitCode,
    polls: plans.map((plan) => ({
      ...pollOf(plan),
      superseded: plan.superseded,
      scanned_bytes: plan.scanned ?? null,
    })),
    counts: plans.flatMap(pairRows),
    actions: plans.flatMap(actionRows),
  };
}
