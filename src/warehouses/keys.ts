/**
 * Keys as whoever pokes writes them, `[["C-1"], ["C-2"]]`: for each entity its key columns' values, in the order of the
 * header's `key:`. Numbers and booleans stand for their text.
 *
 * @returns undefined when it is anything else
 */
export function readKeys(value: unknown, columns: number): string[][] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const keys = value.map((key) => readKey(key, columns));
  return keys.every((key) => key !== undefined) ? keys : undefined;
}

function readKey(value: unknown, columns: number): string[] | undefined {
  if (!Array.isArray(value) || value.length !== columns) return undefined;
  const texts = value.map((part) => (isScalar(part) ? String(part) : undefined));
  return texts.every((text) => text !== undefined) ? texts : undefined;
}

/** Numbers beyond this have lost digits already. */
function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'boolean' || Number.isSafeInteger(value);
}
