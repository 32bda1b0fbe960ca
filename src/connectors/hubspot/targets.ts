import type { CallOptions, Fields, Outcome, Throttled, Unavailable } from '../connector.ts';
import { type Failure, type HubSpot, outcomeOf } from './client.ts';
import { type Looked, lookUp, under } from './lookup.ts';
import { readLinks } from './reply.ts';
import { type TargetField, targetFields, taskTargets } from './schema.ts';

/** Record ids a task is to be put on, or why it cannot be. */
export type Targets = { ids: Partial<Record<TargetField, string>> } | { failure: Outcome };

/** Finds the contacts and companies that tasks name. One call per kind of name; nothing is written. */
export async function resolveTargets(
  hubspot: HubSpot,
  tasks: { key: string; fields: Fields }[],
  call: CallOptions,
): Promise<Map<string, Targets>> {
  const result = new Map<string, Targets>(tasks.map(({ key }) => [key, { ids: {} }]));
  for (const field of targetFields) {
    const naming = tasks.filter(
      ({ key, fields }) => fields[field] !== undefined && 'ids' in (result.get(key) ?? {}),
    );
    const values = naming.map(({ fields }) => fields[field] ?? '').filter((value) => value.trim() !== '');
    if (naming.length === 0) continue;
    const looked = await lookUp(hubspot, { ...taskTargets[field], properties: [] }, values, call);
    for (const { key, fields } of naming) {
      const value = fields[field] ?? '';
      const target = value.trim() === '' ? undefined : under(looked, taskTargets[field].idProperty, value);
      const entry = result.get(key);
      if (target?.kind !== 'record') result.set(key, { failure: targetFailure(field, target) });
      else if (entry && 'ids' in entry) entry.ids[field] = target.id;
    }
  }
  return result;
}

function targetFailure(field: TargetField, target: Exclude<Looked, { kind: 'record' }> | undefined): Outcome {
  const refuse = (code: string, reason: string): Outcome => ({
    kind: 'rejected',
    code,
    reason,
    permanent: true,
  });
  if (!target) return refuse('EMPTY_TARGET', `${field} is empty, so the task would be on nobody's record`);
  if (target.kind === 'absent') {
    const { type, idProperty } = taskTargets[field];
    return refuse(
      'UNKNOWN_TARGET',
      `HubSpot has no ${type} record with this ${idProperty ?? 'id'} (field ${field})`,
    );
  }
  // Nothing was written yet, so a lost lookup is a definite no that is worth another attempt.
  if (target.kind === 'lost') {
    return {
      kind: 'rejected',
      code: 'LOOKUP_FAILED',
      reason: `${field}: ${target.reason}`,
      permanent: false,
    };
  }
  return outcomeOf(target);
}

export interface Unconfirmed {
  /** Why, for each record whose association the answer does not confirm. */
  reasons: Map<string, string>;
  /** The connection may not be called for now. */
  refused: Throttled | Unavailable | undefined;
}

/** Puts tasks on records, which HubSpot does once however often it is asked. Returns the tasks it did not confirm. */
export async function associate(
  hubspot: HubSpot,
  type: string,
  pairs: { from: string; to: string }[],
  call: CallOptions,
): Promise<Unconfirmed> {
  const answer = await hubspot.associate('tasks', type, pairs, call);
  const reply = answer.kind === 'ok' ? readLinks(answer.body) : undefined;
  // The answer holds each association in either or both directions.
  const made = new Set(
    reply?.results.flatMap(({ from, to }) => to.flatMap((id) => [`${from.id} ${id}`, `${id} ${from.id}`])),
  );
  const reason =
    answer.kind !== 'ok'
      ? answer.reason
      : hubspot.quote(reply?.errors[0]?.message) || 'it is not in the answer';
  const open = pairs.filter(({ from, to }) => !made.has(`${from} ${to}`));
  const refused = answer.kind === 'throttled' || answer.kind === 'unavailable' ? answer : undefined;
  return { reasons: new Map(open.map(({ from }) => [from, reason])), refused };
}

/** Which records of a type each task is on; what is not known is a failure. */
export async function associated(
  hubspot: HubSpot,
  type: string,
  taskIds: string[],
  call: CallOptions,
): Promise<Map<string, string[]> | Failure> {
  const answer = await hubspot.associations('tasks', type, taskIds, call);
  if (answer.kind !== 'ok') return answer;
  const reply = readLinks(answer.body);
  if (!reply) return { kind: 'lost', reason: 'the answer has no results' };
  const links = new Map(reply.results.map(({ from, to }) => [from.id, to]));
  // A task on no record is either named in `errors` or simply left out of an answer without errors.
  const bare = new Set(reply.errors.flatMap((error) => Object.values(error.context).flat()));
  const faultless = reply.errors.length === 0 && reply.numErrors === 0;
  for (const id of taskIds) if (!links.has(id) && (faultless || bare.has(id))) links.set(id, []);
  return links;
}
