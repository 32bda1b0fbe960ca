import { hash } from 'node:crypto';
import { z } from 'zod';
import type { Actions, ActionType, Fields } from '../connector.ts';
import { locatorOf, typeOf } from './binding.ts';
import { actionsSchema, type Definition } from './grammar.ts';
import { fieldsAsked } from './placeholders.ts';
import { namesIn } from './template.ts';
import { canonicalValue, exampleOf, valueSchema } from './values.ts';

/** The actions that a connection describes, from its settings as written; undefined when the description is broken. */
export function describedActions(settings: Record<string, unknown>): Actions | undefined {
  const checked = actionsSchema.safeParse(settings.actions);
  if (!checked.success) return undefined;
  return Object.fromEntries(Object.entries(checked.data).map(([name, one]) => [name, describe(one)]));
}

function describe(definition: Definition): ActionType {
  const { link, undo } = definition;
  const fields = Object.entries(definition.fields);
  return {
    summary: definition.summary,
    idempotency: definition.idempotency,
    fields: fieldsSchema(definition),
    options: z.strictObject({}),
    unreadable: fields.flatMap(([name, { read }]) => (read === 'never' ? [name] : [])),
    needsParent: namesIn([definition.write, definition.read]).includes('parent_id'),
    version: hash('sha256', JSON.stringify(definition), 'hex').slice(0, 16),
    maxBatch: definition.write.batch?.max ?? 1,
    maxReadBatch: 1,
    concurrency: definition.concurrency,
    lagMs: definition.lag,
    locate: (sent) => locatorOf(definition, sent),
    canonical: (field, value) => canonicalValue(typeOf(definition, field), value),
    ...(link === undefined ? {} : { link: (id: string) => link.replace('{id}', encodeURIComponent(id)) }),
    ...(undo === undefined ? {} : { inverse: undo }),
    example: { fields: Object.fromEntries(fields.map(([name, { type }]) => [name, exampleOf(type)])) },
  };
}

function fieldsSchema(definition: Definition): z.ZodType<Fields> {
  const filled = new Set(fieldsAsked(definition));
  const shape = Object.entries(definition.fields).map(([name, { type, required, description }]) => {
    const value = valueSchema(type, { required, filled: filled.has(name) }).describe(description ?? '');
    return [name, required ? value : value.exactOptional()] as const;
  });
  return z.strictObject(Object.fromEntries(shape)) as unknown as z.ZodType<Fields>;
}
