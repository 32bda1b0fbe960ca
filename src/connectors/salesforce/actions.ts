import type { ActionType, CallOptions, Outcome, WriteItem } from '../connector.ts';
import { rejected } from '../outcomes.ts';
import { canonical } from './canonical.ts';
import type { Salesforce } from './client.ts';
import { deleteRecords, deletionOf } from './delete.ts';
import { folded } from './find.ts';
import { addMembers } from './members.ts';
import { recordOf, withParent } from './record.ts';
import { type Saving, save } from './save.ts';
import {
  caseFields,
  caseOptions,
  deletionFields,
  deletionOptions,
  memberFields,
  memberOptions,
  recordFields,
  recordOptions,
  taskFields,
  taskOptions,
} from './schema.ts';

/** 200 records are Salesforce's own limit for one request of a collection. */
const shared = {
  idempotency: 'upsert',
  unreadable: [],
  needsParent: false,
  maxBatch: 200,
  maxReadBatch: 200,
  // A production org lets 25 requests of more than 20 s run at once, one for trial 5.
  concurrency: 4,
  // Reads by id or external id come from the store itself; this covers a request that outlived its deadline.
  lagMs: 5000,
  canonical,
} as const;

export const actions: Readonly<Record<string, ActionType>> = {
  upsert_record: {
    ...shared,
    summary: 'Creates or updates a record of any object, by an external id.',
    fields: recordFields,
    options: recordOptions,
    locate: (fields, { external_id }) => ({ external_id: (fields[String(external_id)] ?? '').trim() }),
    example: {
      fields: {
        Customer_Id__c: '{{ customer_id }}',
        LastName: '{{ name }}',
        Email: '{{ email }}',
        Churn_Risk__c: '{{ churn_risk }}',
      },
      options: { object: 'Contact', external_id: 'Customer_Id__c' },
    },
  },
  create_task: {
    ...shared,
    summary: 'Creates a task, once per action.',
    inverse: deletionOf('Task'),
    fields: taskFields,
    options: taskOptions,
    locate: () => ({}),
    example: {
      fields: {
        Subject: 'Call {{ name }}: churn risk {{ churn_risk }}',
        WhoId: '{{ contact_id }}',
        ActivityDate: "{{ now | date: '%Y-%m-%d' }}",
        Priority: 'High',
      },
      options: { key_field: 'Readback_Key__c' },
    },
  },
  create_case: {
    ...shared,
    summary: 'Opens a case, once per action.',
    inverse: deletionOf('Case'),
    fields: caseFields,
    options: caseOptions,
    locate: () => ({}),
    example: {
      fields: {
        Subject: 'Restock {{ sku }}',
        Description: '{{ sku }} will run out in {{ days_left }} days.',
        Priority: 'High',
        Origin: 'Web',
      },
      options: { key_field: 'Readback_Key__c', auto_assign: true },
    },
  },
  delete_record: {
    ...shared,
    summary:
      'Deletes the record that an earlier destination made (`follows:`); it stays in the recycle bin for a while.',
    fields: deletionFields,
    options: deletionOptions,
    needsParent: true,
    locate: () => ({}),
    canonical: (_field, value) => String(value ?? ''),
    example: { fields: { deleted: 'true' }, options: { object: 'Task' } },
  },
  add_campaign_member: {
    ...shared,
    summary: 'Adds a contact or lead to a campaign, or changes their status in it.',
    fields: memberFields,
    options: memberOptions,
    locate: (fields) =>
      Object.fromEntries(
        ['CampaignId', 'ContactId', 'LeadId'].flatMap((name) => (fields[name] ? [[name, fields[name]]] : [])),
      ),
    example: {
      fields: { CampaignId: '701000000000001AAA', ContactId: '{{ contact_id }}', Status: 'Sent' },
    },
  },
};

/** Where an action writes: the object, and the unique field that decides which record. */
export function target(
  action: string,
  options: Record<string, unknown>,
): { object: string; externalId: string } | undefined {
  if (action === 'upsert_record')
    return { object: String(options.object), externalId: String(options.external_id) };
  const object = { create_task: 'Task', create_case: 'Case' }[action];
  return object === undefined ? undefined : { object, externalId: String(options.key_field) };
}

/** Writes one batch of one action. Never throws for something Salesforce said. */
export async function write(
  salesforce: Salesforce,
  action: string,
  options: Record<string, unknown>,
  items: WriteItem[],
  call: CallOptions,
): Promise<Map<string, Outcome>> {
  if (action === 'delete_record') return deleteRecords(salesforce, String(options.object), items, call);
  const orphans = options.parent_field === undefined ? [] : items.filter(({ parentId }) => !parentId);
  const linked = items
    .filter((item) => !orphans.includes(item))
    .map((item) => ({ ...item, fields: withParent(item.fields, options, item.parentId) }));
  const place = target(action, options);
  const outcomes = place
    ? await upsert(salesforce, place, action, options.auto_assign === true, linked, call)
    : await addMembers(salesforce, linked, call);
  for (const { key } of orphans)
    outcomes.set(key, rejected('NO_PARENT', 'parent_field needs a record to follow'));
  return outcomes;
}

async function upsert(
  salesforce: Salesforce,
  { object, externalId }: { object: string; externalId: string },
  action: string,
  autoAssign: boolean,
  items: WriteItem[],
  call: CallOptions,
): Promise<Map<string, Outcome>> {
  const idOf = ({ key, fields }: WriteItem) =>
    action === 'upsert_record' ? (fields[externalId] ?? '').trim() : key;
  const inputs = items.flatMap((item): Saving[] => {
    const id = idOf(item);
    const record = recordOf(object, { ...item.fields, [externalId]: id });
    return id === '' ? [] : [{ key: item.key, name: folded([id]), record }];
  });
  const outcomes = await save(inputs, externalId, (records) =>
    salesforce.upsert(object, externalId, records, autoAssign, call),
  );
  for (const item of items)
    if (idOf(item) === '') outcomes.set(item.key, rejected('EMPTY_ID', `${externalId} is empty`));
  return outcomes;
}
