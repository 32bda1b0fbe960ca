import type { Project } from '../../config/model.ts';
import { duration, type ProcessState, readHealth, type Trouble } from '../../engine/health.ts';
import type { Queryable } from '../../store/queries.ts';
import type { Check } from './check.ts';

/** Who is at work, and whether polls follow from the schedules and lanes are taken. */
export async function healthChecks(ledger: Queryable, project: Project): Promise<Check[]> {
  const { processes, troubles } = await readHealth(ledger, project);
  const hint = processes.length === 0 ? '`readback start` polls on schedule' : null;
  return [
    { check: 'processes', ok: true, detail: shown(processes), hint },
    ...troubles.map((trouble) => ({ check: nameOf(trouble), ok: false, detail: trouble.detail, hint: next })),
  ];
}

const next = '`readback status` shows who is at work and what is open';

function nameOf({ kind, name }: Trouble): string {
  return kind === 'overdue' ? `schedule of ${name}` : `work for ${name}`;
}

function shown(processes: readonly ProcessState[]): string {
  const alive = processes.filter((one) => one.alive);
  const silent = processes
    .filter((one) => !one.alive)
    .map((one) => `${one.host} pid ${one.pid} silent for ${duration(one.silent_ms)}`);
  if (processes.length === 0) return 'none is running';
  return [`${alive.length} alive`, ...silent].join(', ');
}
