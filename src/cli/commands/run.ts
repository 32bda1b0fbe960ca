import { durationHint, parseDuration } from '../../config/duration.ts';
import type { Project, Signal } from '../../config/model.ts';
import { Engine } from '../../engine/engine.ts';
import { settle } from '../../engine/settle.ts';
import { ReadbackError } from '../../errors.ts';
import { databaseNow, type OpenWork, runFailures, runOutcomes } from '../../ledger/commands.ts';
import type { Log } from '../../log.ts';
import type { Database } from '../../store/database.ts';
import { writeManifest } from '../artifacts.ts';
import type { CompareOptions, OutputOptions } from '../options.ts';
import { remark } from '../output.ts';
import { pausedPoll } from '../paused.ts';
import { openProgress } from '../progress.ts';
import { type Polled, printRun, type RunResult, runExitCode, writeRunResults } from '../run-result.ts';
import { selectSignals } from '../selection.ts';
import { openCommandLog, openProject, remarkProblems, withLedger } from '../session.ts';
import { untilStopped } from '../stop.ts';

interface Options extends OutputOptions, CompareOptions {
  only?: string[];
  wait: string;
}

/** Only a file that can be read says its tags and whom it serves. */
const unselectable =
  'a broken file is left out whether it was selected or not; until it is mended, the exit code is not 0';

/** `readback report` and `readback retry --preview` have the rest. */
const failuresShown = 20;

/** `readback run`: polls the selected signals once, acts, reads back, reports, ends. */
export async function execute(options: Options): Promise<number> {
  const waitMs = parseDuration(options.wait);
  if (waitMs === undefined) {
    throw new ReadbackError('USAGE', '--wait is not a duration', { value: options.wait, hint: durationHint });
  }
  const project = await openProject(options);
  remarkProblems(project);
  if (project.problems.length > 0 && (options.select || options.exclude)) remark(unselectable);
  const signals = await selectSignals(project, options);
  await writeManifest(project);
  const log = openCommandLog(options);
  return withLedger(project.root, log, async (database) => {
    const pass = { project, signals, log, database, only: options.only ?? [], waitMs };
    const result = await runPass(pass, options);
    await writeRunResults(project, result);
    printRun(project, result, options.output);
    return runExitCode(result);
  });
}

interface Pass {
  project: Project;
  signals: readonly Signal[];
  log: Log;
  database: Database;
  only: readonly string[];
  waitMs: number;
}

async function runPass(pass: Pass, options: Options): Promise<RunResult> {
  const { project, signals, database, log } = pass;
  const names = signals.map((signal) => signal.name);
  const since = await databaseNow(database.pool);
  const started = performance.now();
  // Problems have been told already, in words for people.
  const engine = await Engine.start({
    project: { ...project, problems: [] },
    database,
    log,
    role: 'run',
  });
  const stopped = untilStopped();
  const progress = openProgress(options);
  let polls: Polled[] = [];
  let open: OpenWork[] = [];
  try {
    polls = await pollAll(engine, pass, stopped.signal, (done) =>
      progress.update(done, signals.length, 'polling'),
    );
    let most = 0;
    open = await settle(database.pool, {
      signals: names,
      waitMs: pass.waitMs,
      stop: stopped.signal,
      onLook: (left) => {
        most = Math.max(most, left);
        progress.update(most - left, most, 'acting and reading back');
      },
    });
  } finally {
    progress.stop();
    await engine.drain();
    stopped.forget();
  }
  if (stopped.signal.aborted) remark('stopped; what is open goes on with the next run or start');
  const outcomes = await runOutcomes(database.pool, names, since);
  const failures = await runFailures(database.pool, names, since, failuresShown);
  const elapsedMs = Math.round(performance.now() - started);
  return { since, elapsedMs, polls, outcomes, open, failures, problems: project.problems };
}

async function pollAll(
  engine: Engine,
  { signals, only, database }: Pass,
  stop: AbortSignal,
  onPolled: (done: number) => void,
): Promise<Polled[]> {
  const polls: Polled[] = [];
  for (const signal of signals) {
    if (stop.aborted) break;
    const skipped = await pausedPoll(database.pool, signal.name);
    polls.push({ signal: signal.name, ...(skipped ?? (await engine.poll(signal, only))) });
    onPolled(polls.length);
  }
  return polls;
}
