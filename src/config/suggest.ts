/** Restricted edit distance (insert, delete, replace, swap neighbours), given up on beyond `limit`. */
function distance(from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) > limit) return limit + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const same = from[i - 1] === to[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1])
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    [beforeLast, last] = [last, row];
  }
  return last[to.length] ?? limit + 1;
}

/**
 * The known name that was most likely meant, if one is near enough to be worth suggesting.
 *
 * @param most edits that still count as a slip
 */
export function closest(name: string, known: Iterable<string>, most = 100): string | undefined {
  if (name.length > 100) return undefined;
  const limit = Math.min(most, Math.max(1, Math.floor(name.length / 3)));
  let best: { name: string; cost: number } | undefined;
  for (const candidate of known) {
    const cost = distance(name.toLowerCase(), candidate.toLowerCase(), limit);
    if (cost <= limit && (!best || cost < best.cost)) best = { name: candidate, cost };
  }
  return best?.name;
}

/** `did you mean \`warehouse\`?`, or the whole list when it is short, or nothing. */
export function suggest(name: string, known: Iterable<string>): string | undefined {
  const names = [...known];
  const guess = closest(name, names);
  if (guess !== undefined) return `did you mean \`${guess}\`?`;
  if (names.length === 0) return undefined;
  if (names.length <= 12) return `known here: ${names.join(', ')}`;
  return `known here: ${names.slice(0, 12).join(', ')} and ${names.length - 12} more`;
}
