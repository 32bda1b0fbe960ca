import type { CallOptions, Outcome, WriteItem } from '../connector.ts';
import type { HubSpot } from './client.ts';
import { idIn, lookUp, type Place } from './lookup.ts';

/** Fields that put a record on another one: which object they point to, and by what. */
export const targets = {
  contact_email: { object: 'contacts', idProperty: 'email' },
  contact_id: { object: 'contacts', idProperty: undefined },
  company_id: { object: 'companies', idProperty: undefined },
  deal_id: { object: 'deals', idProperty: undefined },
  ticket_id: { object: 'tickets', idProperty: undefined },
} as const satisfies Record<string, Place>;
export type TargetField = keyof typeof targets;
export const targetFields = Object.keys(targets) as TargetField[];

/** Record ids that a new record is to be put on, or why it cannot be. */
export type Found = { ids: Partial<Record<TargetField, string>> } | { failure: Outcome };

/** Finds the records that new ones are to be put on. One call per kind of name; nothing is written. */
export async function findTargets(
  hubspot: HubSpot,
  items: Pick<WriteItem, 'key' | 'fields' | 'mayRepeat'>[],
  call: CallOptions,
): Promise<Map<string, Found>> {
  const result = new Map<string, Found>(items.map(({ key }) => [key, { ids: {} }]));
  for (const field of targetFields) {
    const naming = items.filter(
      ({ key, fields }) => fields[field] !== undefined && 'ids' in (result.get(key) ?? {}),
    );
    if (naming.length === 0) continue;
    const values = naming.map(({ fields }) => fields[field] ?? '').filter((value) => value.trim() !== '');
    const looked = await lookUp(hubspot, { ...targets[field], properties: [] }, values, call);
    for (const item of naming) {
      const { key } = item;
      const target = idIn(looked, targets[field], item, field);
      const entry = result.get(key);
      if ('failure' in target) result.set(key, target);
      else if (entry && 'ids' in entry) entry.ids[field] = target.id;
    }
  }
  return result;
}
