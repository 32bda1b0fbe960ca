import type { CallOptions, ReadItem, Reading } from '../connector.ts';
import { asReading } from '../rest.ts';
import { target } from './actions.ts';
import type { Salesforce } from './client.ts';
import { readDeleted } from './delete.ts';
import { find, type Looked } from './find.ts';
import { longId } from './ids.ts';
import { findMembers, memberObject } from './members.ts';
import { valueIn, withParent } from './record.ts';

/** What Salesforce holds now: by record id where a write told it, else by what makes the record unique. */
export async function read(
  salesforce: Salesforce,
  action: string,
  options: Record<string, unknown>,
  items: ReadItem[],
  call: CallOptions,
): Promise<Map<string, Reading>> {
  if (action === 'delete_record') return readDeleted(salesforce, String(options.object), items, call);
  const place = target(action, options);
  const object = place?.object ?? memberObject;
  const parentField = typeof options.parent_field === 'string' ? options.parent_field : undefined;
  const columns = [...new Set(items.flatMap(({ fields }) => fields)), ...(parentField ? [parentField] : [])];
  const ids = items.flatMap(({ id }) => (id === undefined ? [] : [[longId(id)]]));
  const byId = await find(salesforce, { object, by: ['Id'], columns }, ids, call);
  const nameless = items.filter(({ id }) => id === undefined);
  const byName = place
    ? await findByExternalId(salesforce, { ...place, columns }, action, nameless, call)
    : await findByMembership(salesforce, options, columns, nameless, call);
  return new Map(
    items.map((item) => [
      item.key,
      readingOf(item, parentField, item.id === undefined ? byName(item) : byId([longId(item.id)])),
    ]),
  );
}

type Lookup = (item: ReadItem) => Looked | undefined;

async function findByExternalId(
  salesforce: Salesforce,
  { object, externalId, columns }: { object: string; externalId: string; columns: string[] },
  action: string,
  items: ReadItem[],
  call: CallOptions,
): Promise<Lookup> {
  const value = ({ key, locator }: ReadItem) =>
    action === 'upsert_record' ? (locator.external_id ?? '') : key;
  const values = items.map(value).filter((each) => each !== '');
  const question = { object, by: [externalId], columns };
  const found = await find(
    salesforce,
    question,
    values.map((each) => [each]),
    call,
  );
  return (item) => (value(item) === '' ? undefined : found([value(item)]));
}

async function findByMembership(
  salesforce: Salesforce,
  options: Record<string, unknown>,
  columns: string[],
  items: ReadItem[],
  call: CallOptions,
): Promise<Lookup> {
  const fields = ({ locator, parentId }: ReadItem) => withParent(locator, options, parentId);
  const asked = items.map((item) => ({ fields: fields(item) }));
  const found = await findMembers(salesforce, asked, columns, call);
  return (item) => found(fields(item));
}

function readingOf(item: ReadItem, parentField: string | undefined, looked: Looked | undefined): Reading {
  if (looked === undefined)
    return { kind: 'unreadable', reason: 'neither a record id nor an external id is known' };
  if (looked === 'absent') return { kind: 'absent' };
  if (looked === 'several')
    return {
      kind: 'unreadable',
      reason: 'several records bear the same external id: tick Unique on the field',
    };
  if ('problem' in looked) return asReading(looked.problem);
  // The link is none of the fields that are compared, so a record without it must not pass for read.
  const parent = parentField && item.parentId ? valueIn(looked.record, parentField) : undefined;
  if (parent !== undefined && item.parentId && longId(String(parent)) !== longId(item.parentId))
    return { kind: 'failed', reason: `${parentField} is not the record that the other destination made` };
  const fields = Object.fromEntries(item.fields.map((field) => [field, valueIn(looked.record, field)]));
  return { kind: 'found', id: looked.id, fields };
}
