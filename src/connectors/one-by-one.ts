/** Does the work for one item after the other; what came of each, by its key. */
export async function oneByOne<Item extends { key: string }, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Map<string, Result>> {
  const results = new Map<string, Result>();
  for (const item of items) results.set(item.key, await work(item));
  return results;
}
