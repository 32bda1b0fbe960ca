import type { Project } from '../../config/model.ts';
import { ReadbackError } from '../../errors.ts';
import type { Difference } from '../../unit/compare.ts';
import type { UnitTest } from '../../unit/definition.ts';
import { loadUnitTests } from '../../unit/load.ts';
import { runUnitTest } from '../../unit/run.ts';
import { exitCodes } from '../exit.ts';
import type { CompareOptions, OutputOptions } from '../options.ts';
import { print, remark, toJsonText } from '../output.ts';
import { selectSignals } from '../selection.ts';
import { count, openProject, remarkProblems } from '../session.ts';
import { openWarehouses } from '../warehouses.ts';

/** How a test ended. */
interface Result {
  test: UnitTest;
  differences: Difference[];
  /** Why it could not be run. */
  error: ReadbackError | undefined;
}

/** `readback test`: what signals and destinations make of rows that are given. Sends nothing and needs no ledger. */
export async function execute(options: OutputOptions & CompareOptions): Promise<number> {
  const project = await openProject(options);
  remarkProblems(project);
  const problems: ReadbackError[] = [];
  const tests = await chosen(project, await loadUnitTests(project.root, problems), options);
  const results = await runAll(project, tests);
  if (options.output === 'json') print(toJsonText([...results.map(asJson), ...problems.map(brokenJson)]));
  else print(asText(results, problems));
  if (tests.length === 0 && problems.length === 0)
    remark('there is no test; `readback create-test <signal> --key <key>` makes one of a real row');
  return exitCodeOf(results, problems);
}

async function chosen(project: Project, tests: UnitTest[], options: CompareOptions): Promise<UnitTest[]> {
  if (!options.select && !options.exclude) return tests;
  const signals = await selectSignals(project, options);
  return tests.filter((test) => signals.some(({ name }) => name === test.signal));
}

async function runAll(project: Project, tests: readonly UnitTest[]): Promise<Result[]> {
  const warehouses = openWarehouses(project);
  const results: Result[] = [];
  try {
    for (const test of tests) {
      try {
        const differences = await runUnitTest(project, test, warehouses.warehouse);
        results.push({ test, differences, error: undefined });
      } catch (error) {
        if (!(error instanceof ReadbackError)) throw error;
        results.push({ test, differences: [], error });
      }
    }
    return results;
  } finally {
    await warehouses.close();
  }
}

function stateOf({ differences, error }: Result): 'passed' | 'failed' | 'error' {
  if (error) return 'error';
  return differences.length === 0 ? 'passed' : 'failed';
}

function exitCodeOf(results: readonly Result[], problems: readonly ReadbackError[]): number {
  const errors = [...problems, ...results.flatMap(({ error }) => error ?? [])].map((one) => one.exitCode);
  if (errors.includes(exitCodes.wrongInput)) return exitCodes.wrongInput;
  const failed = results.some(({ differences }) => differences.length > 0);
  return Math.max(failed ? exitCodes.attention : exitCodes.done, ...errors);
}

function asText(results: readonly Result[], problems: readonly ReadbackError[]): string {
  const states = results.map(stateOf);
  const number = (state: string) => states.filter((one) => one === state).length;
  const broken = number('error') + problems.length;
  const parts = [`${number('passed')} passed`, `${number('failed')} failed`];
  if (broken > 0) parts.push(`${broken} not run`);
  return [
    ...results.map((result) => resultText(result)),
    ...problems.map((problem) => `error   ${problem.format()}`),
    `${count(results.length + problems.length, 'test')}: ${parts.join(', ')}`,
  ].join('\n');
}

function resultText(result: Result): string {
  const { test, differences, error } = result;
  const head = `${stateOf(result).padEnd(6)}  ${test.name}`;
  if (error) return `${head}\n  ${error.format().replaceAll('\n', '\n  ')}`;
  const details = differences.map(({ place, about, expected, found }) =>
    [
      `  ${place.file}:${place.line}:${place.column} ${about}`,
      `    - expected ${expected}`,
      `    + found    ${found.replaceAll('\n', '\n      ')}`,
    ].join('\n'),
  );
  return [head, ...details].join('\n');
}

function asJson(result: Result): Record<string, unknown> {
  const { test, differences, error } = result;
  return {
    test: test.name,
    file: test.file,
    signal: test.signal,
    state: stateOf(result),
    differences,
    error: error ? errorJson(error) : null,
  };
}

/** A file that is no test. */
function brokenJson(problem: ReadbackError): Record<string, unknown> {
  const file = problem.place?.file ?? null;
  return { test: null, file, signal: null, state: 'error', differences: [], error: errorJson(problem) };
}

function errorJson({ code, message, place, value, hint }: ReadbackError): Record<string, unknown> {
  return { code, message, place: place ?? null, value: value ?? null, hint: hint ?? null };
}
