/** What pages are asked by; as text when they come from a form. */
type Arguments = Record<string, unknown>;

/** Newest first; the cursor names the first message of the next page, so that new ones do not move it. */
export function pageOf(times: string[], args: Arguments): { page: string[]; cursor: string } {
  const inclusive = isTrue(args.inclusive);
  const oldest = args.oldest === undefined ? '' : comparable(String(args.oldest));
  const latest = args.latest === undefined ? '~' : comparable(String(args.latest));
  const start = inclusive ? firstFrom(times, oldest) : firstAfter(times, oldest);
  let end = inclusive ? firstAfter(times, latest) : firstFrom(times, latest);
  const from = cursorTs(args.cursor);
  if (from !== undefined) end = Math.min(end, firstAfter(times, from));
  const limit = Math.min(Number(args.limit ?? 100), 999);
  const first = Math.max(start, end - limit);
  const next = times[first - 1];
  const cursor = first > start && next ? Buffer.from(`next_ts:${next}`).toString('base64') : '';
  return { page: times.slice(first, Math.max(first, end)).reverse(), cursor };
}

function cursorTs(cursor: unknown): string | undefined {
  return /^next_ts:(.+)$/.exec(Buffer.from(String(cursor ?? ''), 'base64').toString())?.[1];
}

/** Seconds with six digits after the point, as every `ts` is, so that texts compare as numbers. */
function comparable(time: string): string {
  const [seconds = '', fraction = ''] = time.split('.');
  return `${seconds.padStart(10, '0')}.${fraction.padEnd(6, '0').slice(0, 6)}`;
}

/** Place of the first `ts` that is not before `time`. */
function firstFrom(times: string[], time: string): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] as string) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

function firstAfter(times: string[], time: string): number {
  const place = firstFrom(times, time);
  return times[place] === time ? place + 1 : place;
}

export function isTrue(value: unknown): boolean {
  return value === true || value === 'true' || value === '1';
}
