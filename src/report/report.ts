import { type Queryable, queries } from '../store/queries.ts';
import type { Activation, Pair, Paused, PollGroup, ReasonGroup, Report, StoppedConnection } from './model.ts';
import { reasonKinds } from './model.ts';
import { type ActivationRow, activation, deadLetter, type LetterRow, type ReasonRow } from './rows.ts';

const sql = queries('report');

/** In flight for longer than this is `delayed` when the signal has no SLA. */
const delayedAfterMs = 15 * 60_000;
/** Distinct reasons kept for each pair and kind; the rest become one line. */
const reasonsKept = 10;
const deadLettersShown = 50;

export interface ReportOptions {
  /** Only these; absent: all. */
  signals?: readonly string[] | undefined;
  destinations?: readonly string[] | undefined;
  /** Only polls that began at or after this, and what came of them. */
  since?: Date | undefined;
  /** The instant that ages are measured at; absent: the database's. */
  now?: Date | undefined;
  /** SLA by signal, in milliseconds. */
  slas: ReadonlyMap<string, number>;
  /** Owner by signal. */
  owners?: ReadonlyMap<string, string> | undefined;
}

interface ActivationAnswer {
  at: Date;
  rows: ActivationRow[] | null;
  reasons: ReasonRow[] | null;
  dead_letters: LetterRow[] | null;
}

/**
 * Detected versus acted, from the ledger. All counts are of one instant (one statement), so `unaccounted` is 0 at any
 * moment unless an action was lost; see `checkBalance` for what to look at then.
 */
export async function buildReport(client: Queryable, options: ReportOptions): Promise<Report> {
  const signals = options.signals ?? null;
  const destinations = options.destinations ?? null;
  const since = options.since ?? null;
  const now = options.now ?? null;
  const slas = [...options.slas].map(([signal, slaMs]) => ({ signal, sla_ms: slaMs }));
  const answer = await sql.one<ActivationAnswer>(client, 'activation', {
    now,
    since,
    signals,
    destinations,
    slas: JSON.stringify(slas),
    delayed_after_ms: delayedAfterMs,
    reasons: reasonsKept,
    dead_letters: deadLettersShown,
  });
  if (!answer) throw new Error('the query "activation" always gives one row');
  const rows = answer.rows ?? [];
  const pairs = rows.filter((row) => row.signal !== '').map((row) => pair(row, options));
  const totals = {
    ...activation(
      rows.find((row) => row.signal === ''),
      null,
    ),
    // One too few here and one too many there must not look like none.
    unaccounted: pairs.reduce((sum, one) => sum + Math.abs(one.unaccounted), 0),
  };
  return {
    generatedAt: answer.at,
    since,
    totals,
    pairs,
    reasons: pairs.flatMap((one) => reasonsOf(one, answer.reasons ?? [])),
    deadLetters: {
      total: totals.differs + totals.failed + totals.escalated + totals.expired,
      shown: (answer.dead_letters ?? []).map(deadLetter),
    },
    polls: await pollGroups(client, since, signals),
    stopped: await stoppedConnections(client, now, destinations),
    paused: await paused(client, signals, destinations),
  };
}

function pair(row: ActivationRow, options: ReportOptions): Pair {
  const { age_ms: ageMs = 0, ...oldest } = row.oldest ?? {};
  return {
    signal: row.signal,
    destination: row.destination,
    owner: options.owners?.get(row.signal) ?? null,
    ...activation(row, options.slas.get(row.signal) ?? null),
    oldestOpen: 'key' in oldest ? { ...oldest, ageMs } : null,
  };
}

/** The pair's reasons in the order of the kinds, completed so that they add up to its counts. */
function reasonsOf(one: Pair, rows: readonly ReasonRow[]): ReasonGroup[] {
  const { signal, destination } = one;
  const ours = rows.filter((row) => row.signal === signal && row.destination === destination);
  return reasonKinds.flatMap((kind) => {
    const groups: ReasonGroup[] = ours
      .filter((row) => row.kind === kind)
      .map(({ reason, count, first, last }) => {
        return { signal, destination, kind, reason, count, examples: [...new Set([first, last])] };
      });
    const rest = countOf(one, kind) - groups.reduce((sum, group) => sum + group.count, 0);
    if (rest > 0)
      groups.push({ signal, destination, kind, reason: 'other reasons', count: rest, examples: [] });
    return groups;
  });
}

function countOf(one: Activation, kind: ReasonGroup['kind']): number {
  if (kind === 'in_flight') return one.in_flight - one.delayed;
  return one[kind];
}

async function pollGroups(
  client: Queryable,
  since: Date | null,
  signals: readonly string[] | null,
): Promise<PollGroup[]> {
  const rows = await sql.run<Omit<PollGroup, 'latestAt'> & { latest_at: Date }>(client, 'polls', {
    since,
    signals,
  });
  return rows.map(({ latest_at: latestAt, ...group }) => ({ ...group, latestAt }));
}

interface StoppedRow {
  connection: string;
  destinations: string[];
  paused_until: Date | null;
  paused_reason: string | null;
  breaker: StoppedConnection['breaker'];
  retry_at: Date | null;
  last_error: string | null;
  failures: number;
}

async function stoppedConnections(
  client: Queryable,
  now: Date | null,
  destinations: readonly string[] | null,
): Promise<StoppedConnection[]> {
  const rows = await sql.run<StoppedRow>(client, 'stopped_connections', { now, destinations });
  return rows.map((row) => ({
    connection: row.connection,
    destinations: row.destinations,
    pausedUntil: row.paused_until,
    pausedReason: row.paused_reason,
    breaker: row.breaker,
    retryAt: row.retry_at,
    lastError: row.last_error,
    failures: row.failures,
  }));
}

interface PausedRow {
  kind: Paused['kind'];
  name: string;
  paused_at: Date;
  paused_reason: string | null;
}

async function paused(
  client: Queryable,
  signals: readonly string[] | null,
  destinations: readonly string[] | null,
): Promise<Paused[]> {
  const rows = await sql.run<PausedRow>(client, 'paused', { signals, destinations });
  return rows.map((row) => ({
    kind: row.kind,
    name: row.name,
    pausedAt: row.paused_at,
    reason: row.paused_reason,
  }));
}
