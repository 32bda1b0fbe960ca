/**
 * Sends a batch; what `send` returns as unsettled is sent again in smaller batches, so that one bad item, refused
 * together with the rest and not named, ends up alone. `send` must settle a batch of one. With b bad items among n it
 * takes at most about 2·b·log2(n) + 1 calls.
 */
export async function inHalves<Item>(items: Item[], send: (items: Item[]) => Promise<Item[]>): Promise<void> {
  const waiting = items.length > 0 ? [items] : [];
  for (let batch = waiting.shift(); batch; batch = waiting.shift()) {
    const unsettled = await send(batch);
    if (unsettled.length === 0) continue;
    if (unsettled.length < batch.length) {
      waiting.unshift(unsettled);
    } else if (batch.length > 1) {
      const middle = Math.ceil(batch.length / 2);
      waiting.unshift(batch.slice(0, middle), batch.slice(middle));
    }
  }
}
