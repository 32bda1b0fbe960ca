/** Splits items whose names repeat: the first of each name, then the second ones, and so on, for vendors that do not take them together. */
export function inRounds<Item>(items: readonly Item[], nameOf: (item: Item) => string): Item[][] {
  const seen = new Map<string, number>();
  const rounds: Item[][] = [];
  for (const item of items) {
    const name = nameOf(item);
    const nth = seen.get(name) ?? 0;
    seen.set(name, nth + 1);
    const round = rounds[nth] ?? [];
    round.push(item);
    rounds[nth] = round;
  }
  return rounds;
}
