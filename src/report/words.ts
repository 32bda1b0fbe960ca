import type { Activation, Counts, Report } from './model.ts';

/** The columns of rule 9 in the order they are read, with the words for them. */
export const countColumns: readonly { name: keyof Counts; word: string }[] = [
  { name: 'verified', word: 'verified' },
  { name: 'unverifiable', word: 'unverifiable' },
  { name: 'differs', word: 'differs' },
  { name: 'failed', word: 'failed' },
  { name: 'escalated', word: 'escalated' },
  { name: 'expired', word: 'expired' },
  { name: 'suppressed', word: 'suppressed' },
  { name: 'held', word: 'held' },
  { name: 'superseded', word: 'superseded' },
  { name: 'in_flight', word: 'in flight' },
];

/** `detected 412 · verified 405 · failed 3 · in flight 4`: what is not zero, always with detected and verified. */
export function headline(counts: Activation): string {
  const shown = countColumns.filter(({ name }) => name === 'verified' || counts[name] > 0);
  const parts = shown.map(({ name, word }) => `${word} ${counts[name]}`);
  if (counts.unaccounted !== 0) parts.push(`UNACCOUNTED ${counts.unaccounted}`);
  return [`detected ${counts.detected}`, ...parts].join(' · ');
}

/** Whether detected equals verified, in one sentence. */
export function verdict(report: Report): string {
  const { detected, verified, unaccounted } = report.totals;
  if (unaccounted !== 0) {
    return `The ledger does not add up: ${unaccounted} of ${detected} detected are unaccounted for. Run: readback doctor`;
  }
  if (detected === 0)
    return report.since ? 'Nothing was detected in this period.' : 'Nothing has been detected yet.';
  if (verified === detected) return `All ${detected} detected are verified.`;
  return `${detected - verified} of ${detected} detected are not verified; each has its reason below.`;
}

/** What the numbers mean, for readers who have not seen the documentation. */
export const legend: readonly string[] = [
  'verified: a read-back found in the destination what was sent. Nothing else counts as done.',
  'unverifiable: the destination said yes, and has no way to be asked; not verified, and not judged by the SLA.',
  'detected is counted by the polls, all else by the actions; both sides must agree.',
  'Time to action runs from the row’s observed_at (or its detection) to the read-back; verified actions only.',
  'Within SLA: verified in time, of all that are verified, differ, failed, escalated or expired, or are in flight for ' +
    'longer than the SLA. Suppressed, held and superseded are not judged.',
  'Writes and reads are per action sent; calls put off by a rate limit or an open breaker are not attempts.',
];

/** `98.5 %`. Never rounds up to 100. */
export function percent(share: number | null): string {
  return share === null ? '–' : `${Math.floor(share * 1_000) / 10} %`;
}
