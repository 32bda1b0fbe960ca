import { canonicalText } from '../canonical.ts';
import type { CallOptions, Outcome, ReadItem, Reading, WriteItem } from '../connector.ts';
import { rejected } from '../outcomes.ts';
import { type Action, type ListName, type Options, shared } from './action.ts';
import { type Failure, type HubSpot, outcomeOf, readingOf } from './client.ts';
import { beforeWriting, folded, idIn, lookUp, placeOf, uniqueForm } from './lookup.ts';
import { chosen, found, lookUpItems, namesOf } from './readback.ts';
import { readChange, readList, readMembers } from './reply.ts';
import { leaverFields, listFields, listOptions, objectTypeIds } from './schema.ts';

type Change = 'add' | 'remove';

/** An action that changes who is in a list. What it reads back is whether the change is in place. */
function changing(change: Change, summary: string): Action {
  return {
    ...shared,
    summary,
    // A guess: HubSpot does not say how fast it shows a membership that was changed.
    lagMs: 30_000,
    fields: change === 'add' ? listFields : leaverFields,
    options: listOptions,
    // Whom somebody else had put there before is taken off, too: HubSpot does not tell who did.
    ...(change === 'add'
      ? { inverse: ({ options }) => ({ action: 'remove_from_list', fields: {}, options }) }
      : {}),
    example: { fields: { member: '{{ email }}' }, options: { list_name: 'Churn risk' } },
    canonical: (_field, value) => folded(canonicalText(value)),
    locate: (fields, { id_property }) => ({
      member: uniqueForm(String(id_property), fields.member ?? ''),
    }),
    needs: (options) => [
      { kind: 'list', list: listOf(options) },
      { kind: 'property', object: String(options.object), name: String(options.id_property) },
    ],
    write: (hubspot, options, items, call) => changeMembers(hubspot, change, options, items, call),
    read: (hubspot, options, items, call) => readMembership(hubspot, change, options, items, call),
  };
}

export const lists: Readonly<Record<string, Action>> = {
  add_to_list: changing('add', 'Adds a contact, or a record of another object, to a static list.'),
  remove_from_list: changing('remove', 'Takes a contact, or a record of another object, off a static list.'),
};

function listOf({ object, list_id, list_name }: Options): ListName {
  return {
    objectTypeId: objectTypeIds[String(object)] ?? String(object),
    id: list_id === undefined ? undefined : String(list_id),
    name: list_name === undefined ? undefined : String(list_name),
  };
}

async function listId(hubspot: HubSpot, list: ListName, call: CallOptions): Promise<string | Failure> {
  if (list.id !== undefined) return list.id;
  const answer = await hubspot.list(list, call);
  if (answer.kind !== 'ok') return answer;
  return readList(answer.body)?.listId ?? { kind: 'lost', reason: 'the answer describes no list' };
}

async function changeMembers(
  hubspot: HubSpot,
  change: Change,
  options: Options,
  items: WriteItem[],
  call: CallOptions,
): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const list = await listId(hubspot, listOf(options), call);
  if (typeof list !== 'string')
    return new Map(items.map(({ key }) => [key, beforeWriting(list, 'the list')]));
  const place = placeOf(options.object, options.id_property);
  const values = items.map(({ fields }) => fields.member ?? '').filter((value) => value.trim() !== '');
  const looked = await lookUp(hubspot, { ...place, properties: [] }, values, call);
  const members = new Map<string, string>();
  for (const item of items) {
    const { key, fields, parentId } = item;
    const followed = fields.member === undefined && parentId !== undefined;
    const member = followed ? { id: parentId } : idIn(looked, place, item, 'member');
    if ('failure' in member) outcomes.set(key, member.failure);
    else members.set(key, member.id);
  }
  const ids = [...new Set(members.values())];
  if (ids.length === 0) return outcomes;
  const answer = await hubspot.changeList(list, change, ids, call);
  const reply = answer.kind === 'ok' ? readChange(answer.body) : undefined;
  const changed = new Set(change === 'add' ? reply?.recordsIdsAdded : reply?.recordIdsRemoved);
  const missing = new Set(reply?.recordIdsMissing);
  for (const [key, id] of members) {
    if (answer.kind !== 'ok') outcomes.set(key, outcomeOf(answer));
    else if (!reply)
      outcomes.set(key, { kind: 'ambiguous', reason: 'the answer does not tell who was changed' });
    else if (changed.has(id)) outcomes.set(key, { kind: 'applied', id });
    else if (missing.has(id))
      outcomes.set(key, rejected('MISSING', 'HubSpot says that this record does not exist'));
    // It is known to exist, and HubSpot leaves out whom it need not change. Read-back looks all the same.
    else outcomes.set(key, { kind: 'already', id });
  }
  return outcomes;
}

async function readMembership(
  hubspot: HubSpot,
  change: Change,
  options: Options,
  items: ReadItem[],
  call: CallOptions,
): Promise<Map<string, Reading>> {
  const wanted = listOf(options);
  const list = await listId(hubspot, wanted, call);
  if (typeof list !== 'string') return new Map(items.map(({ key }) => [key, readingOf(list)]));
  const place = placeOf(options.object, options.id_property);
  const unique = ({ locator }: ReadItem) => locator.member ?? '';
  const properties = place.idProperty === undefined ? [] : [place.idProperty];
  const asked = items.map((item) => ({
    ...item,
    id: item.id ?? (unique(item) === '' ? item.parentId : undefined),
  }));
  const looked = await lookUpItems(hubspot, place, asked, unique, properties, call);
  const readings = new Map<string, Reading>();
  const records = asked.flatMap((item) => {
    const record = found(looked(item));
    if (record.kind === 'record') return [{ item, record }];
    readings.set(item.key, record);
    return [];
  });
  const ids = [...new Set(records.map(({ record }) => record.id))];
  const membersOf = await memberships(hubspot, wanted.objectTypeId, ids, call);
  for (const { item, record } of records) {
    const inLists = membersOf(record.id);
    const fields = { member: chosen(namesOf(record, place.idProperty), item.locator.member) };
    if (!(inLists instanceof Set)) readings.set(item.key, readingOf(inLists));
    else if (inLists.has(list) === (change === 'add'))
      readings.set(item.key, { kind: 'found', id: record.id, fields });
    else readings.set(item.key, { kind: 'absent' });
  }
  return readings;
}

/** The lists that each record is in, or why it is not known. */
async function memberships(
  hubspot: HubSpot,
  objectTypeId: string,
  ids: string[],
  call: CallOptions,
): Promise<(id: string) => Set<string> | Failure> {
  if (ids.length === 0) return () => new Set();
  const answer = await hubspot.memberships(objectTypeId, ids, call);
  if (answer.kind !== 'ok') return () => answer;
  const reply = readMembers(answer.body);
  const told = new Map(
    reply?.results.map(({ recordId, recordListMemberships }) => [
      recordId,
      new Set(recordListMemberships.map(({ listId }) => listId)),
    ]),
  );
  const silence: Failure = { kind: 'lost', reason: 'the answer says nothing about the lists of this record' };
  // HubSpot does not say whether it shows a record that is in no list: left out of an answer without errors, it is in none.
  return (id) => told.get(id) ?? (reply && !reply.complaint ? new Set() : silence);
}
