import { z } from 'zod';
import { connectorNames, loadConnector } from '../connectors/index.ts';
import { unitTestSchema } from '../unit/definition.ts';
import { loadWarehouse, warehouseNames } from '../warehouses/index.ts';
import { apiSchema } from './api.ts';
import { destinationSchema } from './destination.ts';
import { actionRules } from './destination-schemas.ts';
import { enrichmentSchema } from './enrichment.ts';
import type { Project } from './model.ts';
import { referencePattern } from './references.ts';
import { rootSchema, sharedSchema } from './root.ts';
import { signalSchema } from './signal.ts';

type JsonSchema = Record<string, unknown>;

/**
 * JSON Schemas of everything a user writes, for editors: file name to schema.
 *
 * @param project makes destinations known by its own connections and the actions they have
 */
export async function jsonSchemas(project?: Project): Promise<Record<string, JsonSchema>> {
  return {
    'readback.json': await rootJsonSchema(),
    'signal.json': written(signalSchema),
    'destination.json': { ...written(destinationSchema), allOf: await actionRules(project) },
    'enrichment.json': written(enrichmentSchema),
    'test.json': written(unitTestSchema),
  };
}

/** What may be written, as opposed to what the loader makes of it. */
function written(schema: z.ZodType): JsonSchema {
  return orSingle(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })) as JsonSchema;
}

/** Where the loader takes one for a list of one, so do editors. */
function orSingle(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(orSingle);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).map(([key, value]) => [key, orSingle(value)]);
  const { oneOrMore, type, items, minItems, ...rest } = Object.fromEntries(entries);
  if (oneOrMore !== true) return Object.fromEntries(entries);
  return { ...rest, anyOf: [items, { type, items, minItems }] };
}

async function rootJsonSchema(): Promise<JsonSchema> {
  const warehouses = await Promise.all(
    warehouseNames.map(async (name) => withKind('type', name, (await loadWarehouse(name))?.schema)),
  );
  const connections = await Promise.all(
    connectorNames.map(async (name) => {
      const schema = withKind('connector', name, (await loadConnector(name))?.schema);
      return {
        ...schema,
        properties: {
          ...(schema.properties as JsonSchema),
          ...(nested(sharedSchema).properties as JsonSchema),
        },
      };
    }),
  );
  const profiled = {
    type: 'object',
    properties: {
      dbt_profile: { type: 'string', description: '`profile` or `profile.target` of profiles.yml.' },
    },
    required: ['dbt_profile'],
  };
  const root = written(rootSchema);
  const sections = {
    warehouses: { type: 'object', additionalProperties: { anyOf: [...warehouses, profiled] } },
    connections: { type: 'object', additionalProperties: { anyOf: connections } },
    api: nested(apiSchema),
  };
  return { ...root, properties: { ...(root.properties as JsonSchema), ...sections } };
}

function nested(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...rest } = written(schema);
  return rest;
}

/** Every setting may also be given as a reference. */
function orReference([key, schema]: [string, JsonSchema]): [string, JsonSchema] {
  if (schema.secret === true) return [key, schema];
  const { description, ...inner } = schema;
  return [key, { description, anyOf: [inner, { type: 'string', pattern: referencePattern.source }] }];
}

/** The settings of one kind, recognised by `type: duckdb` or `connector: hubspot`. */
function withKind(key: string, kind: string, schema: z.ZodType | undefined): JsonSchema {
  const settings: JsonSchema = schema ? nested(schema) : { type: 'object' };
  const properties = Object.entries((settings.properties as Record<string, JsonSchema>) ?? {});
  return {
    ...settings,
    properties: { [key]: { const: kind }, ...Object.fromEntries(properties.map(orReference)) },
    required: [key, ...((settings.required as string[] | undefined) ?? [])],
  };
}
