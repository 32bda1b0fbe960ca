import type { CallOptions, Outcome, ReadItem, Reading, WriteItem } from '../connector.ts';
import { rejected } from '../outcomes.ts';
import { asReading } from '../rest.ts';
import type { Salesforce } from './client.ts';
import { find } from './find.ts';
import { longId } from './ids.ts';
import { save } from './save.ts';

/** What undoes an action that made a record of this object. */
export function deletionOf(object: string) {
  return { action: 'delete_record', fields: { deleted: 'true' }, options: { object } };
}

/** Deletes the records that earlier destinations made. One that somebody has deleted before is as it should be. */
export async function deleteRecords(
  salesforce: Salesforce,
  object: string,
  items: WriteItem[],
  call: CallOptions,
): Promise<Map<string, Outcome>> {
  const orphans = items.filter(({ parentId }) => parentId === undefined);
  const savings = items.flatMap(({ key, parentId }) =>
    parentId === undefined
      ? []
      : [{ key, name: longId(parentId), record: { attributes: { type: object }, id: longId(parentId) } }],
  );
  const outcomes = await save(savings, 'Id', (records) =>
    salesforce.delete(
      records.map(({ id }) => String(id)),
      call,
    ),
  );
  for (const { key, record } of savings) {
    const outcome = outcomes.get(key);
    if (outcome?.kind === 'rejected' && outcome.code === 'ENTITY_IS_DELETED')
      outcomes.set(key, { kind: 'already', id: record.id });
  }
  for (const { key } of orphans) outcomes.set(key, rejected('NO_PARENT', 'no record to delete'));
  return outcomes;
}

/** A query does not show what lies in the recycle bin: not to be found is deleted. */
export async function readDeleted(
  salesforce: Salesforce,
  object: string,
  items: ReadItem[],
  call: CallOptions,
): Promise<Map<string, Reading>> {
  const idOf = ({ id, parentId }: ReadItem) => longId(id ?? parentId ?? '');
  const ids = items.map(idOf).filter((id) => id !== '');
  const looked = await find(
    salesforce,
    { object, by: ['Id'], columns: [] },
    ids.map((id) => [id]),
    call,
  );
  return new Map(
    items.map((item): [string, Reading] => {
      const id = idOf(item);
      const found = id === '' ? undefined : looked([id]);
      if (found === undefined) return [item.key, { kind: 'unreadable', reason: 'no record to read' }];
      if (typeof found === 'object' && 'problem' in found) return [item.key, asReading(found.problem)];
      return [item.key, { kind: 'found', id, fields: { deleted: String(found === 'absent') } }];
    }),
  );
}
