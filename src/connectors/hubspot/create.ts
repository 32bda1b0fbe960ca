import type { CallOptions, Fields, Outcome, ReadItem, Reading, WriteItem } from '../connector.ts';
import { rejected } from '../outcomes.ts';
import { type Action, shared } from './action.ts';
import { archivalOf } from './archive.ts';
import { canonicalDue } from './canonical.ts';
import { type Failure, type HubSpot, readingOf } from './client.ts';
import { type Creation, canonicalIn, creations } from './creations.ts';
import { link, linked, type Pair } from './links.ts';
import { lookUp, under, uniqueForm } from './lookup.ts';
import { chosen, found, lookUpItems, namesOf, readingFor } from './readback.ts';
import { keyOptions } from './schema.ts';
import { type Found, findTargets, type TargetField, targetFields, targets } from './targets.ts';
import { type Upsert, upsert } from './upsert.ts';

export const creating: Readonly<Record<string, Action>> = Object.fromEntries(
  Object.entries(creations).map(([name, creation]) => [name, creatingOf(creation)]),
);

function creatingOf(creation: Creation): Action {
  const { object, summary, fields, example } = creation;
  return {
    ...shared,
    summary,
    fields,
    options: keyOptions,
    inverse: archivalOf(object),
    example: { fields: example, options: { key_property: 'readback_key' } },
    canonical: (field, value) => canonicalIn(creation, field, value),
    locate: (given: Fields) =>
      Object.fromEntries(
        targetFields.flatMap((name) =>
          given[name] ? [[name, uniqueForm(targets[name].idProperty, given[name])]] : [],
        ),
      ),
    needs: ({ key_property }) => [{ kind: 'property', object, name: String(key_property) }],
    write: (hubspot, { key_property }, items, call) =>
      create(hubspot, creation, String(key_property), items, call),
    read: (hubspot, { key_property }, items, call) =>
      readCreated(hubspot, creation, String(key_property), items, call),
  };
}

/**
 * Creates or updates records on our unique key, then puts them on the records they name. Those are looked up before
 * anything is written, so that nothing is made for somebody HubSpot does not know.
 */
async function create(
  hubspot: HubSpot,
  creation: Creation,
  keyProperty: string,
  items: WriteItem[],
  call: CallOptions,
): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const places = await findTargets(hubspot, items, call);
  const inputs: Upsert[] = [];
  for (const item of items) {
    const place = places.get(item.key);
    const input = inputOf(creation, item);
    if (place && 'failure' in place) outcomes.set(item.key, place.failure);
    else if ('properties' in input) inputs.push(input);
    else outcomes.set(item.key, input);
  }
  for (const [key, outcome] of await upsert(hubspot, creation.object, keyProperty, inputs, call))
    outcomes.set(key, outcome);
  await put(hubspot, creation.object, outcomes, places, call);
  return outcomes;
}

function inputOf({ named, required, defaults }: Creation, { key, fields }: WriteItem): Upsert | Outcome {
  const properties: Record<string, string> = defaults();
  for (const field of required)
    if ((fields[field] ?? '').trim() === '')
      return rejected(`EMPTY_${field.toUpperCase()}`, `${field} is empty`);
  for (const [field, value] of Object.entries(fields)) {
    if (Object.hasOwn(targets, field)) continue;
    const { property, form } = named[field] ?? { property: field };
    const date = form === 'date' ? canonicalDue(value) : value;
    if (date === undefined)
      return rejected(`INVALID_${field.toUpperCase()}`, `${field} is no ISO 8601 date or timestamp`);
    properties[property] = form === 'choice' ? value.trim().toUpperCase() : date;
  }
  return { key, id: key, properties };
}

/**
 * A record whose association is not confirmed exists, but not where it should: that is neither success nor refusal, so
 * its outcome is ambiguous and read-back decides.
 */
async function put(
  hubspot: HubSpot,
  object: string,
  outcomes: Map<string, Outcome>,
  places: Map<string, Found>,
  call: CallOptions,
): Promise<void> {
  for (const type of new Set(targetFields.map((field) => targets[field].object))) {
    const pairs: (Pair & { key: string })[] = [];
    for (const [key, place] of places) {
      const outcome = outcomes.get(key);
      if (outcome?.kind !== 'applied' || !('ids' in place)) continue;
      for (const field of targetFields) {
        const to = place.ids[field];
        if (to !== undefined && targets[field].object === type) pairs.push({ key, from: outcome.id, to });
      }
    }
    if (pairs.length === 0) continue;
    const unconfirmed = await link(hubspot, object, type, pairs, call);
    for (const { key, from } of pairs) {
      const reason = unconfirmed.reasons.get(from);
      if (reason === undefined) continue;
      outcomes.set(key, {
        kind: 'ambiguous',
        reason: `it was written, but putting it on its ${type} record is not confirmed: ${reason}`,
        ...(unconfirmed.refused ? { meanwhile: unconfirmed.refused } : {}),
      });
    }
  }
}

async function readCreated(
  hubspot: HubSpot,
  { object, named }: Creation,
  keyProperty: string,
  items: ReadItem[],
  call: CallOptions,
): Promise<Map<string, Reading>> {
  const property = (field: string) =>
    Object.hasOwn(targets, field) ? undefined : (named[field]?.property ?? field);
  const properties = items.flatMap(({ fields }) => fields.flatMap((field) => property(field) ?? []));
  const place = { object, idProperty: keyProperty };
  const looked = await lookUpItems(hubspot, place, items, ({ key }) => key, properties, call);
  const readings = new Map<string, Reading>();
  for (const item of items) readings.set(item.key, readingFor(item, looked(item), property));
  for (const field of targetFields) {
    const asking = items.flatMap((item) => {
      const reading = readings.get(item.key);
      return reading?.kind === 'found' && item.fields.includes(field) ? [{ item, reading }] : [];
    });
    if (asking.length === 0) continue;
    const ids = asking.map(({ reading }) => reading.id);
    const values = await targetValues(hubspot, object, field, ids, call);
    for (const { item, reading } of asking) {
      const held = values.get(reading.id);
      if (Array.isArray(held)) reading.fields[field] = chosen(held, item.locator[field]);
      else if (held) readings.set(item.key, held);
    }
  }
  return readings;
}

/** Per record id, the values by which the records it is on could be named in this field. */
async function targetValues(
  hubspot: HubSpot,
  object: string,
  field: TargetField,
  ids: string[],
  call: CallOptions,
): Promise<Map<string, string[] | Reading>> {
  const { object: type, idProperty } = targets[field];
  const links = await linked(hubspot, object, type, ids, call);
  if (!(links instanceof Map)) return new Map(ids.map((id) => [id, readingOf(links)]));
  const far = [...links.values()].flat().map(({ toObjectId }) => toObjectId);
  const by = { object: type, idProperty: undefined, properties: idProperty ? [idProperty] : [] };
  const records = idProperty ? await lookUp(hubspot, by, far, call) : undefined;
  const silence: Failure = {
    kind: 'lost',
    reason: 'the answer says nothing about the associations of this record',
  };
  const values = new Map<string, string[] | Reading>();
  for (const id of ids) {
    const names: string[] = [];
    let failure: Reading | undefined = links.has(id) ? undefined : readingOf(silence);
    for (const { toObjectId } of links.get(id) ?? []) {
      const record = records ? found(under(records, undefined, toObjectId)) : undefined;
      if (!record) names.push(toObjectId);
      else if (record.kind === 'record') names.push(...namesOf(record, idProperty));
      else if (record.kind !== 'absent') failure = record;
    }
    values.set(id, failure ?? names);
  }
  return values;
}
