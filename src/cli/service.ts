import { startApi } from '../api/server.ts';
import type { Project } from '../config/model.ts';
import { Engine } from '../engine/engine.ts';
import { firesSchedules, type Role, takesTurns } from '../engine/role.ts';
import { errorTable } from '../errors.ts';
import type { Log } from '../log.ts';
import { validateAgainstWarehouses } from '../validate/validate.ts';
import { writeManifest } from './artifacts.ts';
import { exitCodes } from './exit.ts';
import type { GlobalOptions } from './options.ts';
import { formatRows, print, remark } from './output.ts';
import { scheduleText } from './schedule.ts';
import { count, openCommandLog, openProject, withLedger } from './session.ts';
import { raised, untilStopped } from './stop.ts';
import { openWarehouses } from './warehouses.ts';

/** Polls on schedule and acts, as far as the role goes, until asked to stop. */
export async function serve(options: GlobalOptions, role: Role): Promise<number> {
  const stopping = untilStopped();
  const project = await openProject(options);
  const log = openCommandLog(options, 'info');
  await writeManifest(project);
  return withLedger(project.root, log, async (database) => {
    const engine = await Engine.start({ project, database, log, role });
    const api =
      project.api && firesSchedules(role)
        ? await startApi(project.api, { project, ledger: database.pool, log })
        : undefined;
    const failed = untilBug(log).then(() => exitCodes.bug);
    const outdated = engine.outdated.then((reason) => {
      log.error({ code: 'LEDGER_VERSION', reason }, 'this version must not go on; stopping');
      return errorTable.LEDGER_VERSION.exit;
    });
    print(overview(project, role));
    if (role !== 'all' && !process.env.READBACK_DATABASE_URL) remark(embeddedRemark);
    // A scheduler needs neither the warehouses nor their drivers.
    const checked = takesTurns(role) ? reportProblems(project, log) : undefined;
    const exitCode = await Promise.race([
      raised(stopping.signal).then(() => exitCodes.done),
      failed,
      outdated,
    ]);
    log.info({}, 'draining');
    await checked;
    await api?.close();
    await engine.drain();
    log.info({}, 'stopped');
    return exitCode;
  });
}

/** Two ledgers for one project do not know what the other has sent. */
const embeddedRemark =
  'the ledger is the embedded one of this folder: the other processes must run here too, or share one READBACK_DATABASE_URL';

/** What `validate` would say, for the log. It stops nothing: what is broken fails by itself, and the rest runs. */
async function reportProblems(project: Project, log: Log): Promise<void> {
  const warehouses = openWarehouses(project);
  try {
    for (const problem of await validateAgainstWarehouses(project, warehouses.warehouse)) {
      log.error({ code: problem.code }, problem.format());
    }
  } catch (error) {
    log.warn({ error: (error as Error).message }, 'could not check the project against its warehouses');
  } finally {
    await warehouses.close();
  }
}

/** A bug must not pass unseen, nor leave half a process behind: it is logged, the rest is finished, then it ends. */
function untilBug(log: Log): Promise<void> {
  return new Promise((resolve) => {
    const listener = (error: unknown): void => {
      const { name, stack } = error instanceof Error ? error : new Error('not an error');
      // Only the places: a message may quote a row or a request.
      const at = (stack ?? '')
        .split('\n')
        .filter((line) => /^\s+at /.test(line))
        .map((line) => line.trim());
      log.error({ error: name, at }, 'uncaught error; stopping');
      resolve();
    };
    process.on('uncaughtException', listener);
    process.on('unhandledRejection', listener);
  });
}

function overview(project: Project, role: Role): string {
  const rows = [...project.signals.values()].map((signal) => ({
    signal: signal.name,
    schedule: scheduleText(signal.schedule),
    destinations: [...project.destinations.values()]
      .filter((one) => one.signals.includes(signal.name))
      .map((one) => one.name),
  }));
  const broken =
    project.problems.length > 0
      ? `; left out: ${count(project.problems.length, 'problem')}, see the log`
      : '';
  return `${formatRows('table', ['signal', 'schedule', 'destinations'], rows)}running ${project.name}${role === 'all' ? '' : ` as ${role}`}${broken}\n`;
}
