import type { z } from 'zod';

/** The parts of zod's definition that lead from a schema to the schemas inside it. */
interface Definition {
  type: string;
  shape?: Record<string, z.ZodType>;
  innerType?: z.ZodType;
  in?: z.ZodType;
  out?: z.ZodType;
  element?: z.ZodType;
  valueType?: z.ZodType;
  catchall?: z.ZodType;
  options?: z.ZodType[];
  defaultValue?: unknown;
}

function definition(schema: z.ZodType): Definition {
  return schema._zod.def as unknown as Definition;
}

/** The schema under optional, default, preprocess and transform. */
function unwrap(schema: z.ZodType): z.ZodType {
  const inner = innerOf(definition(schema));
  return inner ? unwrap(inner) : schema;
}

function innerOf(outer: Definition): z.ZodType | undefined {
  if (outer.innerType) return outer.innerType;
  if (outer.type !== 'pipe' || !outer.in || !outer.out) return undefined;
  return definition(outer.in).type === 'transform' ? outer.out : outer.in;
}

/** The schema that governs what stands at a path, as far as one does. */
export function schemaAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType | undefined {
  let current: z.ZodType | undefined = schema;
  for (const key of path) {
    if (!current) return undefined;
    const { shape, element, valueType, catchall } = definition(unwrap(current));
    current = shape && Object.hasOwn(shape, key) ? shape[String(key)] : (element ?? valueType ?? catchall);
  }
  return current;
}

/** The keys a map at this path may have. */
export function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  const found = schemaAt(schema, path);
  return Object.keys((found && definition(unwrap(found)).shape) ?? {});
}

/** What the schema, or one it wraps, says about itself. */
export function describeSchema(schema: z.ZodType | undefined): string | undefined {
  if (!schema) return undefined;
  const inner = innerOf(definition(schema));
  return schema.description ?? (inner && describeSchema(inner));
}

/** What stands for a key that is left out; undefined when the schema does not say. */
export function defaultOf(schema: z.ZodType | undefined): unknown {
  if (!schema) return undefined;
  const outer = definition(schema);
  const inner = innerOf(outer);
  return outer.type === 'default' ? outer.defaultValue : inner && defaultOf(inner);
}

/** Whether a setting must be a secret reference. */
export function isSecret(schema: z.ZodType | undefined): boolean {
  return schema !== undefined && unwrap(schema).meta()?.secret === true;
}
