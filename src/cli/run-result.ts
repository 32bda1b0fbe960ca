import type { Project } from '../config/model.ts';
import type { PollResult } from '../detect/poll.ts';
import type { ReadbackError } from '../errors.ts';
import type { Failure, OpenWork, OutcomeCount } from '../ledger/commands.ts';
import { type ActionState, reportColumns } from '../ledger/state.ts';
import { writeArtifact } from './artifacts.ts';
import { exitCodes } from './exit.ts';
import { formatRows, type OutputFormat, print, type Row, remark, toJsonText } from './output.ts';
import { count } from './session.ts';

export type Polled = PollResult & { signal: string };

/** What one pass did. */
export interface RunResult {
  since: Date;
  elapsedMs: number;
  polls: Polled[];
  outcomes: OutcomeCount[];
  open: OpenWork[];
  /** The newest actions that ended badly. */
  failures: Failure[];
  problems: readonly ReadbackError[];
}

/** Ended without the effect, or with a wrong one. */
const bad: readonly ActionState[] = ['differs', 'rejected', 'escalated', 'expired', 'dead'];

/**
 * 1 when something needs a person: a poll that failed or was held, an action that ended badly. 3 when actions wait for a
 * connection that cannot be used. 2 when only project files are wrong. 4 when not everything has an end yet.
 */
export function runExitCode({ polls, outcomes, open, problems }: RunResult): number {
  if (polls.some((poll) => poll.state === 'failed' || poll.state === 'held')) return exitCodes.attention;
  if (outcomes.some((one) => bad.includes(one.state))) return exitCodes.attention;
  if (open.some((one) => one.unreachable)) return exitCodes.unreachable;
  if (problems.length > 0) return exitCodes.wrongInput;
  return countIn(outcomes, reportColumns.in_flight) > 0 ? exitCodes.stillInFlight : exitCodes.done;
}

/** `target/run_results.json`. */
export function writeRunResults(project: Project, result: RunResult): Promise<string> {
  return writeArtifact(project, 'run_results.json', toJsonText(asJson(project, result)));
}

/** Prints polls and outcomes. JSON is the same as the artifact; CSV has one line per signal and destination. */
export function printRun(project: Project, result: RunResult, format: OutputFormat): void {
  if (format === 'json') print(toJsonText(asJson(project, result)));
  else if (format === 'csv') print(formatRows('csv', outcomeColumns, outcomeRows(result.outcomes)));
  else printForPeople(result);
}

function printForPeople({ polls, outcomes, failures, open }: RunResult): void {
  print(formatRows('table', pollColumns, polls.map(pollRow)));
  const rows = outcomeRows(outcomes);
  const columns = ['signal', 'destination', ...shownColumns(rows)];
  if (rows.length > 0) print(`\n${formatRows('table', columns, rows)}`);
  if (failures.length > 0)
    print(
      `\n${formatRows(
        'table',
        failureColumns,
        failures.map((one) => ({ ...one })),
      )}`,
    );
  for (const poll of polls) if (isSilentBaseline(poll)) remark(baselineText(poll));
  for (const one of open) remark(openText(one));
}

const failureColumns = ['state', 'signal', 'destination', 'entity', 'reason'];

/** The first poll only records who is in the set; a user who does not know it waits in vain. */
function isSilentBaseline(poll: Polled): boolean {
  return poll.state === 'baseline' && poll.entered === 0 && (poll.members ?? 0) > 0;
}

function baselineText({ signal, members }: Polled): string {
  const recorded = members === 1 ? '1 member was' : `${members} members were`;
  return `${signal}: first poll, ${recorded} recorded and none acted on; changes from now on are. (\`backfill: all\` acts on the first poll too.)`;
}

function asJson(project: Project, result: RunResult): Record<string, unknown> {
  return {
    version: 1,
    project: project.name,
    started_at: result.since.toISOString(),
    elapsed_ms: result.elapsedMs,
    exit_code: runExitCode(result),
    polls: result.polls.map(pollRow),
    outcomes: outcomeRows(result.outcomes),
    in_flight: result.open,
    failures: result.failures,
    problems: result.problems.map((problem) => problem.format()),
  };
}

export const pollColumns = ['signal', 'poll', 'members', 'entered', 'changed', 'left', 'reason'];

export function pollRow({ signal, state, members, entered, changed, departed, reason }: Polled): Row {
  return { signal, poll: state, members, entered, changed, left: departed, reason };
}

const stateColumns = Object.keys(reportColumns) as (keyof typeof reportColumns)[];
const outcomeColumns = ['signal', 'destination', 'actions', ...stateColumns];

function outcomeRows(outcomes: readonly OutcomeCount[]): Row[] {
  const pairs = new Map<string, OutcomeCount[]>();
  for (const one of outcomes) {
    const pair = `${one.signal}/${one.destination}`;
    pairs.set(pair, [...(pairs.get(pair) ?? []), one]);
  }
  return [...pairs.values()].map((own) => {
    const counts = stateColumns.map((column) => [column, countIn(own, reportColumns[column])]);
    const { signal = '', destination = '' } = own[0] ?? {};
    return { signal, destination, actions: sum(own), ...Object.fromEntries(counts) };
  });
}

/** A table for people leaves out states in which nothing is. */
function shownColumns(rows: readonly Row[]): string[] {
  return ['actions', ...stateColumns.filter((column) => rows.some((row) => row[column] !== 0))];
}

function countIn(outcomes: readonly OutcomeCount[], states: readonly ActionState[]): number {
  return sum(outcomes.filter((one) => states.includes(one.state)));
}

function sum(outcomes: readonly OutcomeCount[]): number {
  return outcomes.reduce((total, one) => total + one.actions, 0);
}

function openText({ destination, open, next_in_ms, rests_ms, rest_reason }: OpenWork): string {
  const seconds = Math.ceil(Math.max(next_in_ms, rests_ms) / 1000);
  const why = rests_ms > 0 ? `: its connection rests (${rest_reason ?? 'no reason given'})` : '';
  return `${destination}: ${count(open, 'action')} still in flight, next look in ${seconds} s${why}`;
}
