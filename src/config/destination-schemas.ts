import type { z } from 'zod';
import type { ActionType } from '../connectors/connector.ts';
import { actionsOf, connectorNames, loadConnector } from '../connectors/index.ts';
import { isOpen, schemaKeys } from './keys.ts';
import type { Project } from './model.ts';

type JsonSchema = Record<string, unknown>;

/** What a destination may say about an action, when its file names that action (and that connection). */
interface Case {
  when: JsonSchema;
  /** Several, where connectors share the name and the file alone does not tell which is meant. */
  actions: readonly ActionType[];
}

/**
 * Parts of the schema of a destination file that depend on its action. Of a project: by connection and action, with the
 * actions that its `http` connections describe. Without one: by action, of all connectors.
 */
export async function actionRules(project?: Project): Promise<JsonSchema[]> {
  const cases = project ? casesOf(project) : await allCases();
  return cases.map(({ when, actions }) => {
    const allowed = actions.map(({ fields, options }) => ({
      properties: {
        fields: mapSchema(fields, true),
        left_fields: mapSchema(fields, true),
        options: mapSchema(options, false),
      },
    }));
    // biome-ignore lint/suspicious/noThenProperty: JSON Schema's own word
    return { if: { properties: when, required: Object.keys(when) }, then: { anyOf: allowed } };
  });
}

async function allCases(): Promise<Case[]> {
  const found = new Map<string, ActionType[]>();
  for (const name of connectorNames) {
    const connector = await loadConnector(name);
    for (const [action, type] of Object.entries((connector && actionsOf(connector)) ?? {}))
      found.set(action, [...(found.get(action) ?? []), type]);
  }
  return [...found].map(([name, actions]) => ({ when: { action: { const: name } }, actions }));
}

function casesOf(project: Project): Case[] {
  return [...project.connections.values()].flatMap((connection) =>
    Object.entries(connection.actions).map(([name, action]) => ({
      when: { connection: { const: connection.name }, action: { const: name } },
      actions: [action],
    })),
  );
}

/** Names, meanings and what must be there. Not the forms of values: a field is a template until it is rendered. */
function mapSchema(schema: z.ZodType, templates: boolean): JsonSchema {
  const keys = schemaKeys(schema).filter(({ name }) => !name.includes('.'));
  const properties = keys.map(({ name, description, fallback }) => [
    name,
    {
      ...(description === undefined ? {} : { description }),
      ...(templates ? { type: ['string', 'number', 'boolean'] } : {}),
      ...(fallback === undefined ? {} : { default: fallback }),
    },
  ]);
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    required: keys.filter(({ required }) => required).map(({ name }) => name),
    ...(isOpen(schema) ? {} : { additionalProperties: false }),
  };
}
