import type { Destination } from '../config/model.ts';
import type { ActionType, Fields, WriteItem } from '../connectors/connector.ts';
import { ReadbackError } from '../errors.ts';
import type { Action } from '../ledger/action.ts';
import { digest } from '../ledger/digest.ts';
import type { Intent } from '../ledger/lane.ts';
import type { Scope, Template } from '../templates/index.ts';

/** An action with everything that its write needs. */
export interface Prepared {
  action: Action;
  item: WriteItem;
  intent: Intent;
}

/**
 * Renders the destination's fields for one action.
 *
 * @throws ReadbackError TEMPLATE naming file, line and variable when the row lacks something
 * @throws ZodError when the rendered values are not what the connector's action takes
 */
export function renderFields(
  templates: ReadonlyMap<string, Template>,
  type: ActionType,
  scope: Scope,
): Fields {
  const fields: Fields = {};
  for (const [name, template] of templates) fields[name] = template.render(scope);
  return type.fields.parse(fields);
}

/** What is sent, and what the ledger keeps of it: digests, never the values. */
export function prepare(
  action: Action,
  destination: Destination,
  type: ActionType,
  fields: Fields,
  { parentId, undone }: Pick<WriteItem, 'parentId' | 'undone'>,
): Prepared {
  return {
    action,
    item: {
      key: action.key,
      requestKey: action.generation === 0 ? action.key : `${action.key}-${action.generation}`,
      mayRepeat: action.attempts > 0,
      fields,
      parentId,
      ...(undone && { undone }),
    },
    intent: intentOf(action.key, destination, type, fields, parentId),
  };
}

/** What read-back needs to find the record of these fields and to compare it. */
export function intentOf(
  key: string,
  destination: Destination,
  type: ActionType,
  fields: Fields,
  parentId?: string,
): Intent {
  const sent: Record<string, string> = {};
  for (const name of verifiedFields(destination, type, fields)) {
    sent[name] = digest(type.canonical(name, fields[name]));
  }
  return {
    key,
    sent,
    locator: { ...type.locate(fields, destination.options), ...(parentId ? { parent: parentId } : {}) },
  };
}

/** The fields that a read-back must find as sent: those named under `verify:`, or, where it sends none of them, all that can be read. */
export function verifiedFields(destination: Destination, type: ActionType, fields: Fields): string[] {
  const named = destination.verify.fields?.filter((name) => Object.hasOwn(fields, name)) ?? [];
  if (named.length > 0) return named;
  return Object.keys(fields).filter((name) => !type.unreadable.includes(name));
}

/**
 * Why an action cannot be sent as things are: a template's error, or fields that the connector does not take.
 * Anything else is not the user's fault and is thrown on.
 */
export function describeRefusal(error: unknown, destination: Destination): string {
  if (error instanceof ReadbackError) return error.format();
  const { issues } = error as { issues?: { path: PropertyKey[]; message: string }[] };
  if (!issues) throw error;
  const problems = issues.map((issue) => `${issue.path.map(String).join('.')}: ${issue.message}`);
  return `${destination.file}: the rendered fields are not what ${destination.action} takes: ${problems.join('; ')}`;
}
