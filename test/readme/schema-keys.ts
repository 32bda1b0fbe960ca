import { parse } from 'yaml';
import { z } from 'zod';
import { parseDuration } from '../../src/config/duration.ts';
import { keysAt, schemaAt } from '../../src/config/shape.ts';

/** What a schema says about one key, by its dotted name. */
export interface SchemaKey {
  name: string;
  required: boolean;
  /** What it is when left out; undefined when the schema does not say. */
  fallback: unknown;
}

/** Every key that a map may have, those of maps inside it as `guard.max_new`. */
export function schemaKeys(schema: z.ZodType, path: readonly string[] = []): SchemaKey[] {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Json;
  const missing = path.length === 0 ? missingIn(schema) : new Set<string>();
  return keysAt(schema, path).flatMap((key) => {
    const inner = schemaKeys(schema, [...path, key]);
    if (inner.length > 0) return inner;
    const name = [...path, key].join('.');
    return [{ name, required: missing.has(name), fallback: propertyAt(json, [...path, key])?.default }];
  });
}

interface Json {
  properties?: Record<string, Json>;
  default?: unknown;
}

function propertyAt(json: Json, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((at, key) => at?.properties?.[key], json);
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

/** Whether a table's word for a default is the schema's. */
export function isSameDefault(written: string, fallback: unknown): boolean {
  if (written === fallback || parseDuration(written) === fallback) return true;
  return JSON.stringify(parse(written)) === JSON.stringify(fallback);
}
