/** A change of a zone's clock. All times are ms since 1970, offsets are wall time minus UTC in ms. */
export interface Change {
  /** The first instant of the new offset. */
  at: number;
  before: number;
  after: number;
  /** A zone that has it, and how many others have the very same. */
  zone: string;
  alike: number;
}

const hourMs = 3_600_000;
/** No zone has changed its clock twice within this since 2015. */
const stepMs = 7 * 24 * hourMs;

/**
 * Every change of any IANA zone's clock from one year to another. Around a change, a zone's clock is decided by three
 * numbers: the instant, the offset before and the offset after. Zones that share them are the same zone there, so each
 * triple is told once.
 */
export function changesOf(fromYear: number, toYear: number): Change[] {
  const found = new Map<string, Change>();
  for (const zone of Intl.supportedValuesOf('timeZone')) {
    const offsetAt = clockOf(zone);
    let before = offsetAt(Date.UTC(fromYear, 0, 1));
    for (let start = Date.UTC(fromYear, 0, 1); start < Date.UTC(toYear + 1, 0, 1); start += stepMs) {
      const after = offsetAt(start + stepMs);
      if (after === before) continue;
      const at = changeWithin(offsetAt, start, start + stepMs, before);
      const key = `${at} ${before} ${after}`;
      const known = found.get(key);
      if (known) known.alike += 1;
      else found.set(key, { at, before, after, zone, alike: 0 });
      before = after;
    }
  }
  return [...found.values()].sort((a, b) => a.at - b.at);
}

function clockOf(zone: string): (instant: number) => number {
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: zone,
    dateStyle: 'short',
    timeStyle: 'medium',
  });
  // Swedish writes 2026-03-29 02:00:00, which is ISO 8601 but for its T and Z.
  return (instant) => Date.parse(`${format.format(instant).replace(' ', 'T')}Z`) - instant;
}

function changeWithin(offsetAt: (at: number) => number, start: number, end: number, before: number): number {
  let [low, high] = [start / 1000, end / 1000];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle * 1000) === before) low = middle;
    else high = middle;
  }
  return high * 1000;
}
