import ms from 'ms';
import type { Project, Signal } from '../config/model.ts';
import { type Queryable, queries } from '../store/queries.ts';
import { firesSchedules, type Role, takesTurns } from './role.ts';
import { ticksBefore } from './ticks.ts';

const sql = queries('watch');

/** As long as a turn that hangs may keep its job; until then another worker may still come by itself. */
const stuckMs = 600_000;
/** A poll may be late by this much more than its own deadline. */
const graceMs = 60_000;
/** Intervals without a poll before a schedule counts as stopped. */
const missedTicks = 3;

export interface ProcessState {
  role: Role;
  host: string;
  pid: number;
  version: string;
  started_at: Date;
  seen_at: Date;
  silent_ms: number;
  /** Has said so lately. One that is not was killed, hangs, or is cut off. */
  alive: boolean;
}

export interface SignalState {
  signal: string;
  paused_reason: string | null;
  /** Of the last poll that came to an end; null: never polled. */
  state: string | null;
  reason: string | null;
  finished_at: Date | null;
  age_ms: number | null;
  /** How old the last poll may be; null: no schedule, paused, or no schedule has ever fired it. */
  allowed_ms: number | null;
  overdue: boolean;
}

export interface DestinationState {
  destination: string;
  paused_reason: string | null;
  open: number;
  due: number;
  /** How long the longest due one has been due; negative: nothing is due yet. */
  oldest_ms: number | null;
  lanes_held: number;
  /** The connection may not be called for this long: it was called too often. */
  rests_ms: number;
  rest_reason: string | null;
  breaker: string;
  last_error: string | null;
}

export interface HeldLane {
  destination: string;
  lane: number;
  holder: string;
  taken_at: Date;
  held_ms: number;
}

/** Something that does not mend itself. */
export interface Trouble {
  kind: 'overdue' | 'stuck';
  /** The signal or the destination. */
  name: string;
  detail: string;
}

export interface Health {
  processes: ProcessState[];
  signals: SignalState[];
  destinations: DestinationState[];
  lanes: HeldLane[];
  troubles: Trouble[];
}

/** The state of the loop, from the ledger alone. */
export async function readHealth(ledger: Queryable, project: Project): Promise<Health> {
  const processes = await sql.run<ProcessState>(ledger, 'processes');
  const signals = await readSignals(ledger, project);
  const destinations = await sql.run<DestinationState>(ledger, 'work');
  const lanes = await sql.run<HeldLane>(ledger, 'lanes');
  const stuck = await sql.run<Stuck>(ledger, 'stuck', { seconds: stuckMs / 1000 });
  return {
    processes,
    signals,
    destinations,
    lanes,
    troubles: [
      ...signals.filter((one) => one.overdue).map((one) => overdue(one, processes)),
      ...stuck.map((one) => explain(one, { project, processes, destinations })),
    ],
  };
}

interface PollRow {
  signal: string;
  paused_reason: string | null;
  state: string | null;
  reason: string | null;
  finished_at: Date | null;
  at: Date;
  followed_since: Date | null;
}

async function readSignals(ledger: Queryable, project: Project): Promise<SignalState[]> {
  const rows = await sql.run<PollRow>(ledger, 'polls', { signals: [...project.signals.keys()] });
  return rows.map(({ at, followed_since: since, ...row }) => {
    const signal = project.signals.get(row.signal);
    const watched = signal !== undefined && since !== null && row.paused_reason === null;
    const allowed = watched ? allowedAge(signal, at) : undefined;
    const age = row.finished_at ? at.getTime() - row.finished_at.getTime() : null;
    // The first poll of all needs its time, too.
    const late = allowed !== undefined && (age ?? at.getTime() - (since ?? at).getTime()) > allowed;
    return { ...row, age_ms: age, allowed_ms: allowed ?? null, overdue: late };
  });
}

/**
 * How old the last poll may be before its schedule counts as stopped: three intervals, as long as they just were (a
 * schedule may rest over the weekend), or the poll's deadline and a minute.
 */
export function allowedAge(signal: Signal, now: Date): number | undefined {
  if (!signal.schedule) return undefined;
  const oldest = ticksBefore(signal.schedule, now, missedTicks).at(-1) ?? now;
  return Math.max(now.getTime() - oldest.getTime(), signal.timeoutMs + graceMs);
}

function overdue({ signal, age_ms, allowed_ms }: SignalState, processes: readonly ProcessState[]): Trouble {
  const last =
    age_ms === null ? 'no poll has ever come to an end' : `the last poll ended ${duration(age_ms)} ago`;
  const detail = `${last}; by its schedule it may be ${duration(allowed_ms ?? 0)} old`;
  const missing = absent(processes, 'polled');
  return { kind: 'overdue', name: signal, detail: missing ? `${detail}; ${missing}` : detail };
}

interface Stuck {
  destination: string;
  actions: number;
  due_at: Date;
  example: string;
  holder: string | null;
}

function explain(
  { destination, actions, due_at, example, holder }: Stuck,
  { project, processes, destinations }: Pick<Health, 'processes' | 'destinations'> & { project: Project },
): Trouble {
  const state = destinations.find((one) => one.destination === destination);
  const resting = state && (state.breaker !== 'closed' ? state.last_error : state.rest_reason);
  const reason =
    (project.destinations.has(destination) ? undefined : 'no usable file of the project names it') ??
    absent(processes, 'worked') ??
    (state && (state.breaker !== 'closed' || state.rests_ms > 0)
      ? `its connection rests: ${resting ?? 'no reason given'}`
      : undefined) ??
    (holder ? `${holder} took its lane and never let go` : 'nobody takes its lane');
  const since = `due since ${due_at.toISOString()}`;
  return {
    kind: 'stuck',
    name: destination,
    detail: `${actions} ${actions === 1 ? 'action' : 'actions'} ${since} (${example}): ${reason}`,
  };
}

/** Which kind of process is missing for work to go on. */
function absent(processes: readonly ProcessState[], wanted: 'polled' | 'worked'): string | undefined {
  const alive = processes.filter((one) => one.alive);
  if (alive.length === 0) return 'no process is running';
  if (!alive.some((one) => takesTurns(one.role))) return 'no worker is running';
  if (wanted === 'polled' && !alive.some((one) => firesSchedules(one.role))) return 'no scheduler is running';
  return undefined;
}

/** `3m`, `2d`: as exact as a person needs. */
export function duration(valueMs: number): string {
  return ms(Math.round(valueMs));
}
