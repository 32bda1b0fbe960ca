import { Openings } from '../../openings.ts';
import { planSignal, type SignalPlan } from '../../plan/plan.ts';
import type { CompareOptions, OutputOptions } from '../options.ts';
import { pausedPoll } from '../paused.ts';
import { planExitCode, printPlan } from '../plan-result.ts';
import { openProgress } from '../progress.ts';
import { selectSignals } from '../selection.ts';
import { openCommandLog, openProject, remarkProblems, withLedger } from '../session.ts';
import { untilStopped } from '../stop.ts';

interface Options extends OutputOptions, CompareOptions {
  only?: string[];
  limit: number;
}

/** `readback plan`: what a run would do now, read from the destinations. Sends nothing. */
export async function execute(options: Options): Promise<number> {
  const project = await openProject(options);
  remarkProblems(project);
  const signals = await selectSignals(project, options);
  return withLedger(project.root, openCommandLog(options), async ({ pool }) => {
    const openings = new Openings(project, pool);
    const stopped = untilStopped();
    const progress = openProgress(options);
    const plans: SignalPlan[] = [];
    try {
      for (const signal of signals) {
        const paused = await pausedPoll(pool, signal.name);
        if (paused) {
          plans.push({ signal: signal.name, poll: paused, superseded: 0, detected: new Map(), actions: [] });
          continue;
        }
        plans.push(
          await planSignal(project, signal, pool, openings, {
            only: options.only ?? [],
            limit: options.limit,
            signal: stopped.signal,
            onProgress: (done, total) => progress.update(done, total, `reading for ${signal.name}`),
          }),
        );
      }
    } finally {
      progress.stop();
      stopped.forget();
      await openings.close();
    }
    const exitCode = planExitCode(plans, project.problems.length);
    printPlan(plans, options.output, exitCode);
    return exitCode;
  });
}
