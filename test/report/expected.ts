import { isInFlight, isSettled, type SeedAction } from './seed.ts';

/** The report's numbers, worked out one action at a time from the definitions; `nowMs` counts like the seeds do. */
export function expected(
  actions: readonly SeedAction[],
  nowMs: number,
  sla: (signal: string) => number | undefined,
) {
  const times = actions.map((action) => timesOf(action));
  const age = (index: number) => nowMs - hourOf(actions[index]) - (times[index]?.start ?? 0);
  const verified = actions.flatMap((action, index) => (action.state === 'verified' ? [times[index]] : []));
  const bySla = actions.map((action, index) => {
    const limit = sla(action.signal);
    if (limit === undefined) return 'none';
    if (isInFlight(action.state)) return age(index) > limit ? 'late' : 'none';
    if (!isSettled(action.state) || ['unverifiable', 'suppressed', 'superseded'].includes(action.state))
      return 'none';
    return action.state === 'verified' && (times[index]?.total ?? 0) <= limit ? 'in time' : 'late';
  });
  const sent = actions.filter((action) => action.sent != null).length;
  const calls = actions
    .flatMap(({ attempts = [] }) => attempts)
    .filter(({ outcome }) => outcome !== 'intent');
  const made = calls.filter(({ outcome }) => outcome !== 'throttled' && outcome !== 'unavailable');
  const count = (kind: string) => made.filter((call) => call.kind === kind).length;
  const open = actions
    .map((action, index) => ({ action, age: age(index) }))
    .filter(({ action }) => !isSettled(action.state));
  const judged = bySla.filter((one) => one !== 'none').length;
  const inTime = bySla.filter((one) => one === 'in time').length;
  return {
    detected: actions.length,
    delayed: actions.filter(
      (action, i) => isInFlight(action.state) && age(i) > (sla(action.signal) ?? 900_000),
    ).length,
    time: {
      total: percentiles(verified.map((one) => one?.total)),
      insightToDetected: percentiles(verified.map((one) => one?.insight)),
      detectedToSent: percentiles(verified.map((one) => one?.sent)),
      sentToAccepted: percentiles(verified.map((one) => one?.accepted)),
      acceptedToVerified: percentiles(verified.map((one) => one?.verified)),
    },
    sla: { inTime, judged, attainment: judged === 0 ? null : inTime / judged },
    attempts: {
      writes: count('write'),
      reads: count('read'),
      writesPerAction: sent === 0 ? null : count('write') / sent,
      readsPerAction: sent === 0 ? null : count('read') / sent,
      mostWrites: Math.max(0, ...actions.map(({ tries = 0 }) => tries)),
      putOff: calls.length - made.length,
    },
    oldestAge: open.length === 0 ? null : Math.max(...open.map(({ age }) => age)),
  };
}

const hourOf = (action: SeedAction | undefined) => (action?.poll ?? 0) * 3_600_000;

function timesOf({ observed, detected = 0, sent, accepted, settled = detected }: SeedAction) {
  const begun = observed == null ? detected : Math.min(observed, detected);
  const answered = sent != null && accepted != null && accepted >= sent;
  return {
    start: begun,
    total: settled - begun,
    insight: observed == null ? undefined : detected - begun,
    sent: sent == null ? undefined : sent - detected,
    accepted: answered ? accepted - sent : undefined,
    verified: answered ? settled - accepted : undefined,
  };
}

/** Linear between the two nearest ranks, as `percentile_cont` is defined. */
function percentiles(values: (number | undefined)[]) {
  const sorted = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  const share = (fraction: number) => {
    const rank = fraction * (sorted.length - 1);
    const low = sorted[Math.floor(rank)] ?? 0;
    const high = sorted[Math.ceil(rank)] ?? 0;
    return low + (high - low) * (rank - Math.floor(rank));
  };
  return { p50: share(0.5), p95: share(0.95), p99: share(0.99) };
}
