import type { Project } from '../../config/model.ts';
import {
  type DestinationState,
  duration,
  type Health,
  type ProcessState,
  readHealth,
  type SignalState,
} from '../../engine/health.ts';
import { exitCodes } from '../exit.ts';
import type { OutputOptions } from '../options.ts';
import { formatRows, print, type Row, toJsonText } from '../output.ts';
import { scheduleText } from '../schedule.ts';
import { openCommandLog, openProject, remarkProblems, withLedger } from '../session.ts';

/** `readback status`: the loop as the ledger sees it. Asks no warehouse and no destination. */
export async function execute(options: OutputOptions): Promise<number> {
  const project = await openProject(options);
  remarkProblems(project);
  return withLedger(project.root, openCommandLog(options), async ({ pool }) => {
    const health = await readHealth(pool, project);
    print(options.output === 'json' ? toJsonText(health) : asText(health, project));
    return health.troubles.length === 0 ? exitCodes.done : exitCodes.attention;
  });
}

function asText({ processes, signals, destinations, troubles }: Health, project: Project): string {
  const parts = [
    table(processes.map(processRow)) ?? 'no process is running\n',
    table(signals.map((one) => signalRow(one, project))),
    table(destinations.map(destinationRow)),
    ...troubles.map(
      ({ kind, name, detail }) => `✗ ${name} ${kind === 'stuck' ? 'is stuck' : 'is overdue'}: ${detail}\n`,
    ),
  ];
  return parts.filter((part) => part !== undefined).join('\n');
}

function table(rows: readonly Row[]): string | undefined {
  return rows[0] && formatRows('table', Object.keys(rows[0]), rows);
}

function processRow({ role, host, pid, version, started_at, silent_ms, alive }: ProcessState): Row {
  return {
    process: `${host} pid ${pid}`,
    role,
    version,
    started: started_at.toISOString(),
    state: alive ? 'alive' : `silent for ${duration(silent_ms)}`,
  };
}

function signalRow(one: SignalState, project: Project): Row {
  const paused = one.paused_reason === null ? undefined : `paused: ${one.paused_reason}`;
  return {
    signal: one.signal,
    schedule: scheduleText(project.signals.get(one.signal)?.schedule),
    'last poll': one.age_ms === null ? 'never' : `${duration(one.age_ms)} ago`,
    result: one.state ?? '',
    note: paused ?? (one.overdue ? 'overdue' : (one.reason ?? '')),
  };
}

function destinationRow(one: DestinationState): Row {
  return {
    destination: one.destination,
    open: one.open,
    due: one.due,
    'due for': one.oldest_ms !== null && one.oldest_ms > 0 ? duration(one.oldest_ms) : '',
    'lanes held': one.lanes_held,
    note: noteOn(one),
  };
}

function noteOn({ paused_reason, breaker, last_error, rests_ms, rest_reason }: DestinationState): string {
  if (paused_reason !== null) return `paused: ${paused_reason}`;
  if (breaker !== 'closed') return `its connection rests after failures: ${last_error ?? 'no reason given'}`;
  return rests_ms > 0
    ? `its connection rests for ${duration(rests_ms)}: ${rest_reason ?? 'no reason given'}`
    : '';
}
