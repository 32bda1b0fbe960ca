import type { CallOptions, Client } from '../../src/connectors/connector.ts';
import { longId } from '../../src/connectors/salesforce/ids.ts';
import { connector } from '../../src/connectors/salesforce/index.ts';
import { examine } from '../contract.ts';

const upserting = { writes: 'composite/sobjects', reads: '/query' };
/** Nothing of an upsert by a customer's id tells which action it is, so the faults find it by a field's text. */
const mark = (action: string, n: number) => `exam-key-${action}-${n}-x`;

async function upsert(
  client: Client,
  call: CallOptions,
  object: string,
  fields: Record<string, string>,
): Promise<void> {
  const options = { object, external_id: 'Customer_Id__c' };
  const key = `${object}-${fields.Customer_Id__c}`;
  const item = { key, requestKey: key, mayRepeat: false, fields, parentId: undefined };
  await client.write('upsert_record', options, [item], call);
}

examine(connector, {
  upsert_record: {
    ...upserting,
    type: 'Contact',
    options: { object: 'Contact', external_id: 'Customer_Id__c' },
    fields: (n) => ({
      Customer_Id__c: ` C'${n}\\"%20& `,
      LastName: `O'Neil ${n} `,
      Email: `Ada.${n}@Acme.Example`,
      Phone: `+49 0${n}`,
      Churn_Risk__c: `0.9${n}0`,
      At_Risk__c: 'True',
      Scored_At__c: '2026-03-01T10:00:00.123+02:00',
      Renewal_Date__c: '2026-12-31',
      Products__c: 'Web;Mail;Archive',
      Department: '',
      Description: `Two\nlines`,
      Source__c: mark('upsert_record', n),
      'Account.Customer_Id__c': 'A-1',
    }),
    prepare: (client, call) => upsert(client, call, 'Account', { Customer_Id__c: 'A-1', Name: 'Acme' }),
  },
  create_task: {
    ...upserting,
    type: 'Task',
    fields: (n) => ({
      Subject: `Call Ada ${n}`,
      WhoId: '003500000000001',
      ActivityDate: '2026-03-01',
      Priority: 'High',
      Description: 'Churn risk 91%',
    }),
  },
  create_case: {
    ...upserting,
    type: 'Case',
    fields: (n) => ({
      Subject: `Restock A-${n}`,
      Description: 'Runs out.',
      Origin: 'Web',
      SuppliedEmail: `${n}@B.example`,
    }),
  },
  delete_record: {
    type: 'Task',
    options: { object: 'Task' },
    fields: () => ({ deleted: 'true' }),
    mark: (key) => `Call ${key.split('-').at(-2)}`,
    writes: 'ids=',
    parent: async (client, call, n) => {
      const key = `task-${n}`;
      const item = {
        key,
        requestKey: key,
        mayRepeat: false,
        fields: { Subject: `Call ${n}` },
        parentId: undefined,
      };
      const outcomes = await client.write('create_task', { key_field: 'Readback_Key__c' }, [item], call);
      const outcome = outcomes.get(key);
      return outcome?.kind === 'applied' ? outcome.id : '';
    },
  },
  add_campaign_member: {
    ...upserting,
    type: 'CampaignMember',
    fields: (n) => ({
      CampaignId: '701500000000001',
      [n === 2 ? 'LeadId' : 'ContactId']: longId(n === 2 ? '00Q500000000001' : `00350000000000${n + 1}`),
      Status: 'Sent',
      Source__c: mark('add_campaign_member', n),
    }),
    prepare: async (client, call) => {
      await upsert(client, call, 'Campaign', { Customer_Id__c: 'spring', Name: 'Spring' });
      for (const n of [0, 1])
        await upsert(client, call, 'Contact', { Customer_Id__c: `C-${n}`, LastName: 'Ada' });
      await upsert(client, call, 'Lead', { Customer_Id__c: 'L-1', LastName: 'Bob', Company: 'Acme' });
    },
  },
});
