import type { CallOptions, ReadItem, Reading } from '../connector.ts';
import { type HubSpot, readingOf } from './client.ts';
import { folded, type HubSpotRecord, type Looked, lookUp, type Place, under } from './lookup.ts';

/** One call for the items whose record id is known, one for those that are found by their unique value. */
export async function lookUpItems<Item extends { id: string | undefined }>(
  hubspot: HubSpot,
  { object, idProperty }: Place,
  items: Item[],
  unique: (item: Item) => string,
  properties: string[],
  call: CallOptions,
): Promise<(item: Item) => Looked | undefined> {
  const ids = items.flatMap(({ id }) => id ?? []);
  const uniques = items.flatMap((item) =>
    item.id === undefined && unique(item) !== '' ? [unique(item)] : [],
  );
  const wanted = [...new Set(properties)];
  const byId = await lookUp(hubspot, { object, idProperty: undefined, properties: wanted }, ids, call);
  const byUnique = await lookUp(hubspot, { object, idProperty, properties: wanted }, uniques, call);
  return (item) =>
    item.id === undefined ? under(byUnique, idProperty, unique(item)) : under(byId, undefined, item.id);
}

/** What a record holds in the fields asked for, which are these properties; a field that is none is left out. */
export function readingFor(
  item: ReadItem,
  looked: Looked | undefined,
  property: (field: string) => string | undefined,
): Reading {
  const record = found(looked);
  if (record.kind !== 'record') return record;
  const fields: Record<string, unknown> = {};
  for (const field of item.fields) {
    const name = property(field);
    // A property without a value comes as null or not at all; both mean empty.
    if (name !== undefined) fields[field] = record.properties[name] ?? '';
  }
  return { kind: 'found', id: record.id, fields };
}

/** The record, or what its not being there says of the item. */
export function found(looked: Looked | undefined): HubSpotRecord | Exclude<Reading, { kind: 'found' }> {
  if (!looked) return { kind: 'unreadable', reason: 'neither a record id nor a unique value is known' };
  if (looked.kind === 'record' || looked.kind === 'absent') return looked;
  return readingOf(looked);
}

/** The values by which a record can be named: other emails of a contact and ids from before a merge are names, too. */
export function namesOf({ id, properties }: HubSpotRecord, idProperty: string | undefined): string[] {
  const several = (value: unknown) => String(value ?? '').split(';');
  const names =
    idProperty === undefined
      ? [id, ...several(properties.hs_merged_object_ids)]
      : idProperty === 'email'
        ? [...several(properties.email), ...several(properties.hs_additional_emails)]
        : [String(properties[idProperty] ?? '')];
  return names.filter((name) => name !== '');
}

/** People add records to others, so the expected one among several is enough; otherwise all that there are. */
export function chosen(held: string[], expected: string | undefined): string {
  return held.find((value) => expected !== undefined && folded(value) === folded(expected)) ?? held.join(';');
}
