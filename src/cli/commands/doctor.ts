import type { Project } from '../../config/model.ts';
import type { Log } from '../../log.ts';
import { Openings } from '../../openings.ts';
import { type Check, failed, passed } from '../doctor/check.ts';
import { nodeCheck, projectChecks, warehouseChecks } from '../doctor/checks.ts';
import { connectionChecks } from '../doctor/connections.ts';
import { healthChecks } from '../doctor/health.ts';
import { ledgerChecks } from '../doctor/ledger.ts';
import { exitCodes } from '../exit.ts';
import type { OutputOptions } from '../options.ts';
import { formatRows, print } from '../output.ts';
import { count, openCommandLog, openProject, withLedger } from '../session.ts';
import { openWarehouses } from '../warehouses.ts';

/** `readback doctor`: everything the project needs, checked for real. */
export async function execute(options: OutputOptions): Promise<number> {
  const project = await openProject(options);
  const checks = [
    nodeCheck(),
    ...projectChecks(project),
    ...(await liveChecks(project, openCommandLog(options))),
  ];
  const bad = checks.filter((check) => !check.ok).length;
  if (options.output === 'table') {
    print(checks.map(toText).join('\n'));
    print(bad === 0 ? 'all is well' : count(bad, 'problem'));
  } else {
    print(
      formatRows(
        options.output,
        ['check', 'ok', 'detail', 'hint'],
        checks.map((check) => ({ ...check })),
      ),
    );
  }
  return bad === 0 ? exitCodes.done : exitCodes.attention;
}

/** Without a ledger connections cannot be tried: they draw their request budget from it. */
async function liveChecks(project: Project, log: Log): Promise<Check[]> {
  try {
    return await withLedger(project.root, log, async ({ pool }) => {
      const where = process.env.READBACK_DATABASE_URL ? 'READBACK_DATABASE_URL' : 'embedded, in .readback';
      const openings = new Openings(project, pool);
      try {
        return [
          passed('ledger', where),
          ...(await warehouseChecks(project, (name) => openings.warehouse(name))),
          ...(await connectionChecks(project, openings)),
          ...(await ledgerChecks(pool)),
          ...(await healthChecks(pool, project)),
        ];
      } finally {
        await openings.close();
      }
    });
  } catch (error) {
    const warehouses = openWarehouses(project);
    try {
      return [failed('ledger', error), ...(await warehouseChecks(project, warehouses.warehouse))];
    } finally {
      await warehouses.close();
    }
  }
}

function toText({ check, ok, detail, hint }: Check): string {
  return `${ok ? '✓' : '✗'} ${check}${detail ? `: ${detail}` : ''}${hint ? `\n    → ${hint}` : ''}`;
}
