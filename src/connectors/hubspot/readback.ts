import type { CallOptions, ReadItem, Reading } from '../connector.ts';
import { upsertedTypes } from './actions.ts';
import { type Failure, type HubSpot, readingOf } from './client.ts';
import { folded, type HubSpotRecord, type Looked, lookUp, under } from './lookup.ts';
import { type TargetField, targetFields, taskProperties, taskTargets } from './schema.ts';
import { associated } from './targets.ts';

/** What HubSpot holds now, under the names the destination uses. */
export async function read(
  hubspot: HubSpot,
  action: string,
  options: Record<string, unknown>,
  items: ReadItem[],
  call: CallOptions,
): Promise<Map<string, Reading>> {
  const type = upsertedTypes[action];
  if (type === undefined) return readTasks(hubspot, String(options.key_property), items, call);
  const idProperty = String(options.id_property);
  const looked = await lookUpItems(hubspot, { type, idProperty }, items, (name) => name, call);
  return new Map(items.map((item) => [item.key, readingFor(item, looked(item), (name) => name)]));
}

async function readTasks(
  hubspot: HubSpot,
  keyProperty: string,
  items: ReadItem[],
  call: CallOptions,
): Promise<Map<string, Reading>> {
  const property = (field: string) => taskProperties[field];
  const looked = await lookUpItems(
    hubspot,
    { type: 'tasks', idProperty: keyProperty },
    items,
    property,
    call,
  );
  const readings = new Map<string, Reading>();
  for (const item of items) readings.set(item.key, readingFor(item, looked(item), property));
  for (const field of targetFields) {
    const asking = items.flatMap((item) => {
      const reading = readings.get(item.key);
      return reading?.kind === 'found' && item.fields.includes(field) ? [{ item, reading }] : [];
    });
    if (asking.length === 0) continue;
    const ids = asking.map(({ reading }) => reading.id);
    const values = await targetValues(hubspot, field, ids, call);
    for (const { item, reading } of asking) {
      const held = values.get(reading.id);
      if (Array.isArray(held)) reading.fields[field] = chosen(held, item.locator[field]);
      else if (held) readings.set(item.key, readingOf(held));
    }
  }
  return readings;
}

/** One call for the items whose record id is known, one for those that are found by their unique value. */
async function lookUpItems(
  hubspot: HubSpot,
  { type, idProperty }: { type: string; idProperty: string },
  items: ReadItem[],
  property: (field: string) => string | undefined,
  call: CallOptions,
): Promise<(item: ReadItem) => Looked | undefined> {
  const fields = new Set<string>();
  for (const item of items) for (const field of item.fields) fields.add(field);
  const properties = [...fields].flatMap((field) => property(field) ?? []);
  const ids = items.flatMap((item) => item.id ?? []);
  const unique = (item: ReadItem) => (type === 'tasks' ? item.key : (item.locator[idProperty] ?? ''));
  const uniques = items.flatMap((item) =>
    item.id === undefined && unique(item) !== '' ? [unique(item)] : [],
  );
  const byId = await lookUp(hubspot, { type, idProperty: undefined, properties }, ids, call);
  const byUnique = await lookUp(hubspot, { type, idProperty, properties }, uniques, call);
  return (item) =>
    item.id === undefined ? under(byUnique, idProperty, unique(item)) : under(byId, undefined, item.id);
}

function readingFor(
  item: ReadItem,
  looked: Looked | undefined,
  property: (field: string) => string | undefined,
): Reading {
  if (!looked) return { kind: 'unreadable', reason: 'neither a record id nor a unique value is known' };
  if (looked.kind === 'absent') return looked;
  if (looked.kind !== 'record') return readingOf(looked);
  const record: HubSpotRecord = looked;
  const fields: Record<string, unknown> = {};
  for (const field of item.fields) {
    const name = property(field);
    // A property without a value comes as null or not at all; both mean empty.
    if (name !== undefined) fields[field] = record.properties[name] ?? '';
  }
  return { kind: 'found', id: record.id, fields };
}

/** Per task id, the values by which the records it is on could be named in this field. */
async function targetValues(
  hubspot: HubSpot,
  field: TargetField,
  taskIds: string[],
  call: CallOptions,
): Promise<Map<string, string[] | Failure>> {
  const { type, idProperty } = taskTargets[field];
  const links = await associated(hubspot, type, taskIds, call);
  if (!(links instanceof Map)) return new Map(taskIds.map((id) => [id, links]));
  const by = { type, idProperty: undefined, properties: idProperty ? [idProperty] : [] };
  const names = idProperty ? await lookUp(hubspot, by, [...links.values()].flat(), call) : undefined;
  const values = new Map<string, string[] | Failure>();
  for (const id of taskIds) {
    const targets = links.get(id);
    if (!targets)
      values.set(id, { kind: 'lost', reason: 'the answer says nothing about the associations of this task' });
    else values.set(id, names && idProperty ? namesOf(targets, names, idProperty) : targets);
  }
  return values;
}

/** The names of these records, or why they are not all known. */
function namesOf(targets: string[], names: Map<string, Looked>, idProperty: string): string[] | Failure {
  const values: string[] = [];
  for (const target of targets) {
    const looked = under(names, undefined, target);
    if (looked?.kind === 'record') values.push(...emails(looked, idProperty));
    else if (looked && looked.kind !== 'absent') return looked;
  }
  return values;
}

/** A contact is known under its first email and under its other ones. */
function emails({ properties }: HubSpotRecord, idProperty: string): string[] {
  return [properties[idProperty], properties.hs_additional_emails]
    .flatMap((each) => String(each ?? '').split(';'))
    .filter((each) => each !== '');
}

/** People add records to tasks, so the expected one among several is enough; otherwise all that there are. */
function chosen(held: string[], expected: string | undefined): string {
  return held.find((value) => expected !== undefined && folded(value) === folded(expected)) ?? held.join(';');
}
