const units = [
  { name: 's', ms: 1_000, until: 60 },
  { name: 'min', ms: 60_000, until: 60 },
  { name: 'h', ms: 3_600_000, until: 48 },
  { name: 'd', ms: 86_400_000, until: Number.POSITIVE_INFINITY },
] as const;

/** A duration as people say it: `850 ms`, `1.2 s`, `4 min`, `3 h`, `12 d`. Two digits are all that is ever meant. */
export function humanDuration(durationMs: number): string {
  if (Math.round(durationMs) < 1_000) return `${Math.round(durationMs)} ms`;
  for (const unit of units) {
    const value = durationMs / unit.ms;
    const rounded = value < 9.95 ? Math.round(value * 10) / 10 : Math.round(value);
    if (rounded < unit.until) return `${rounded} ${unit.name}`;
  }
  throw new Error(`${durationMs} is not a duration`);
}

/** `2026-03-01 09:30:00 UTC`: the same for every reader, wherever the ledger runs. */
export function utcTime(at: Date): string {
  return at
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' UTC');
}
