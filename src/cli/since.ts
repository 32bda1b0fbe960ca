import { parseDuration } from '../config/duration.ts';
import { ReadbackError } from '../errors.ts';

/** `--since`: a duration before now, a date or time, or `all`. Undefined: since the beginning. */
export function parseSince(text: string, now: Date = new Date()): Date | undefined {
  if (text === 'all') return undefined;
  const duration = parseDuration(text);
  if (duration !== undefined) return new Date(now.getTime() - duration);
  // Date.parse takes "1" for a year and much else for a guess; only ISO 8601 is meant.
  const instant = /^\d{4}-\d{2}-\d{2}(?:T|$)/.test(text) ? new Date(text) : new Date(Number.NaN);
  if (!Number.isNaN(instant.getTime())) return instant;
  throw new ReadbackError('USAGE', '--since is neither a duration nor a time', {
    value: text,
    hint: 'write 24h, 7d, 2026-01-31, 2026-01-31T09:00:00Z or all',
  });
}
