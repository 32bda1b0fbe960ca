/** Which entity, in which version, a text is about; the token is unlike any other's. */
export interface Mark {
  entity: string;
  version: number;
  token: string;
}

/** The first `e-00012 v3 t-1a2b3c4d` of a text. */
export function findMark(text: string): Mark | undefined {
  const [, entity, version, token] = /\b(e-\d+) v(\d+) (t-[0-9a-z]+)\b/.exec(text) ?? [];
  return entity && token ? { entity, version: Number(version), token } : undefined;
}

/** The record of another desk that a text names, as `ref(1234)`. */
export function findReference(text: string): string | undefined {
  return /\bref\(([^)]+)\)/.exec(text)?.[1];
}

/** Every entity a text names, once. */
export function findEntities(text: string): string[] {
  return [...new Set(text.match(/\be-\d+\b/g))];
}
