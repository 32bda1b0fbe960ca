import { z } from 'zod';
import { canonicalText } from '../canonical.ts';
import type { CallOptions, Outcome, ReadItem, Reading, WriteItem } from '../connector.ts';
import { onlyField } from '../fields.ts';
import { rejected } from '../outcomes.ts';
import { type Action, shared } from './action.ts';
import { type HubSpot, outcomeOf } from './client.ts';
import { found, lookUpItems } from './readback.ts';
import { objectName } from './schema.ts';

const fields = onlyField('archived', 'true', 'Only true: what is archived, only people bring back.');

const options = z.strictObject({
  object: objectName.describe('The object of the record, as in upsert_record.'),
});

export const archiving: Readonly<Record<string, Action>> = {
  archive_record: {
    ...shared,
    // Of several in one request HubSpot does not say which it refuses.
    maxBatch: 1,
    summary: 'Archives the record that an earlier destination made (`follows:`).',
    fields,
    options,
    needsParent: true,
    example: { fields: { archived: 'true' }, options: { object: 'tasks' } },
    canonical: (_field, value) => canonicalText(value),
    locate: () => ({}),
    needs: () => [],
    write: (hubspot, { object }, items, call) => archive(hubspot, String(object), items, call),
    read: (hubspot, { object }, items, call) => read(hubspot, String(object), items, call),
  },
};

/** What undoes an action that made a record of this object. */
export function archivalOf(object: string) {
  return { action: 'archive_record', fields: { archived: 'true' }, options: { object } };
}

/** What is archived already is taken without a word. */
async function archive(
  hubspot: HubSpot,
  object: string,
  items: WriteItem[],
  call: CallOptions,
): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  for (const { key, parentId } of items) {
    const answer = parentId === undefined ? undefined : await hubspot.batchArchive(object, [parentId], call);
    if (parentId === undefined || !answer) outcomes.set(key, rejected('NO_PARENT', 'no record to archive'));
    else outcomes.set(key, answer.kind === 'ok' ? { kind: 'applied', id: parentId } : outcomeOf(answer));
  }
  return outcomes;
}

/** Not to be found is archived: that is how HubSpot shows what is. */
async function read(
  hubspot: HubSpot,
  object: string,
  items: ReadItem[],
  call: CallOptions,
): Promise<Map<string, Reading>> {
  const wanted = items.map((item) => ({ ...item, id: item.id ?? item.parentId }));
  const place = { object, idProperty: undefined };
  const looked = await lookUpItems(hubspot, place, wanted, () => '', [], call);
  return new Map(
    wanted.map((item): [string, Reading] => {
      const record = found(looked(item));
      if (record.kind !== 'record' && record.kind !== 'absent') return [item.key, record];
      const archived = String(record.kind === 'absent');
      return [item.key, { kind: 'found', id: item.id ?? '', fields: { archived } }];
    }),
  );
}
