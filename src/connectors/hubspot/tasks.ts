import type { CallOptions, Outcome, WriteItem } from '../connector.ts';
import { canonicalDue } from './canonical.ts';
import type { HubSpot } from './client.ts';
import { targetFields, taskProperties, taskTargets } from './schema.ts';
import { associate, resolveTargets, type Targets } from './targets.ts';
import { type Upsert, upsert } from './upsert.ts';

/**
 * Creates or updates tasks on our unique key, then puts them on the contacts and companies they name. Those are looked
 * up before anything is written, so that no task is made for somebody HubSpot does not know.
 */
export async function writeTasks(
  hubspot: HubSpot,
  keyProperty: string,
  items: WriteItem[],
  call: CallOptions,
): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const targets = await resolveTargets(hubspot, items, call);
  const inputs: Upsert[] = [];
  for (const item of items) {
    const found = targets.get(item.key);
    const input = taskInput(item);
    if (found && 'failure' in found) outcomes.set(item.key, found.failure);
    else if ('properties' in input) inputs.push(input);
    else outcomes.set(item.key, input);
  }
  for (const [key, outcome] of await upsert(hubspot, 'tasks', keyProperty, inputs, call))
    outcomes.set(key, outcome);
  await linkTasks(hubspot, outcomes, targets, call);
  return outcomes;
}

function taskInput({ key, fields }: WriteItem): Upsert | Outcome {
  const refuse = (code: string, reason: string): Outcome => ({
    kind: 'rejected',
    code,
    reason,
    permanent: true,
  });
  if ((fields.subject ?? '').trim() === '') return refuse('EMPTY_SUBJECT', 'subject is empty');
  const due = fields.due === undefined ? endOfDay() : canonicalDue(fields.due);
  if (due === undefined) return refuse('INVALID_DUE', 'due is no ISO 8601 date or timestamp');
  const properties: Record<string, string> = { hs_task_type: 'TODO' };
  for (const [field, property] of Object.entries(taskProperties)) {
    const value = fields[field];
    if (value === undefined) continue;
    properties[property] = ['priority', 'type', 'status'].includes(field)
      ? value.trim().toUpperCase()
      : value;
  }
  return { key, id: key, properties: { ...properties, hs_timestamp: due } };
}

/** HubSpot requires a due date. Without one the task is for today; the same all day, so a second write changes nothing. */
function endOfDay(): string {
  return `${new Date().toISOString().slice(0, 10)}T23:59:59.000Z`;
}

/**
 * A task whose association is not confirmed exists, but not where it should: that is neither success nor refusal, so
 * its outcome is ambiguous and read-back decides.
 */
async function linkTasks(
  hubspot: HubSpot,
  outcomes: Map<string, Outcome>,
  targets: Map<string, Targets>,
  call: CallOptions,
): Promise<void> {
  for (const type of ['contacts', 'companies'] as const) {
    const pairs: { key: string; from: string; to: string }[] = [];
    for (const [key, found] of targets) {
      const outcome = outcomes.get(key);
      if (outcome?.kind !== 'applied' || !('ids' in found)) continue;
      for (const field of targetFields) {
        const to = found.ids[field];
        if (to !== undefined && taskTargets[field].type === type) pairs.push({ key, from: outcome.id, to });
      }
    }
    if (pairs.length === 0) continue;
    const unconfirmed = await associate(hubspot, type, pairs, call);
    for (const { key, from } of pairs) {
      const reason = unconfirmed.reasons.get(from);
      if (reason === undefined) continue;
      outcomes.set(key, {
        kind: 'ambiguous',
        reason: `the task was written, but putting it on its ${type} record is not confirmed: ${reason}`,
        ...(unconfirmed.refused ? { meanwhile: unconfirmed.refused } : {}),
      });
    }
  }
}
