/**
 * One text for a key of any number of columns. A single column is itself, so that `readback trace C-1042` needs no
 * quoting; several are a JSON array, which no choice of values can make ambiguous.
 *
 * @returns null when any part is null: such a row has no identity
 */
export function encodeEntity(values: readonly (string | null)[]): string | null {
  if (values.some((value) => value === null)) return null;
  return values.length === 1 ? (values[0] as string) : JSON.stringify(values);
}

/** The key columns' texts again. Throws when the text was not made for a key of this many columns. */
export function decodeEntity(entity: string, columns: number): string[] {
  if (columns === 1) return [entity];
  const values: unknown = JSON.parse(entity);
  if (!Array.isArray(values) || values.length !== columns)
    throw new Error(`entity ${entity} does not have ${columns} parts`);
  return values.map(String);
}
