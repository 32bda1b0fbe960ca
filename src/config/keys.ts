import type { z } from 'zod';
import { defaultOf, describeSchema, keysAt, schemaAt } from './shape.ts';

/** What a schema says about one key. */
export interface SchemaKey {
  /** Dotted, for maps inside maps: `guard.max_new`. */
  name: string;
  required: boolean;
  /** What it is when left out; undefined when the schema does not say. */
  fallback: unknown;
  description: string | undefined;
}

/** Every key that a map may have, in the order of the schema. */
export function schemaKeys(schema: z.ZodType, path: readonly string[] = []): SchemaKey[] {
  const missing = path.length === 0 ? missingIn(schema) : new Set<string>();
  return keysAt(schema, path).flatMap((key) => {
    const at = [...path, key];
    const inner = schemaKeys(schema, at);
    if (inner.length > 0) return inner;
    const name = at.join('.');
    return [
      {
        name,
        required: missing.has(name),
        fallback: defaultOf(schemaAt(schema, at)),
        description: describeSchema(schemaAt(schema, at)),
      },
    ];
  });
}

/** The keys without which the schema complains. */
function missingIn(schema: z.ZodType): Set<string> {
  const issues = schema.safeParse({}).error?.issues ?? [];
  return new Set(issues.map(({ path }) => path.map(String).join('.')).filter((name) => name !== ''));
}

/** Whether any other key may stand in the map. */
export function isOpen(schema: z.ZodType): boolean {
  const other = schemaAt(schema, ['\0']);
  return other !== undefined && other._zod.def.type !== 'never';
}
