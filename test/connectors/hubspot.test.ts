import type { CallOptions, Client, Fields } from '../../src/connectors/connector.ts';
import { connector } from '../../src/connectors/hubspot/index.ts';
import { examine } from '../contract.ts';

/** Nothing of a membership or an association tells which action it is, so the faults find it by the contact's email. */
const marked = (action: string, n: number) => `exam-key-${action}-${n}-x@acme.example`;

async function write(
  client: Client,
  call: CallOptions,
  action: string,
  options: Record<string, string>,
  all: Fields[],
): Promise<void> {
  const items = all.map((fields, n) => ({
    key: `${action}-${n}`,
    requestKey: `${action}-${n}`,
    mayRepeat: false,
    fields,
    parentId: undefined,
  }));
  await client.write(action, options, items, call);
}

const contacts = (client: Client, call: CallOptions, email: (n: number) => string) =>
  write(
    client,
    call,
    'upsert_contact',
    { id_property: 'email' },
    [0, 1, 2].map((n) => ({ email: email(n) })),
  );

const onContacts = {
  later: ['contact_email'],
  prepare: (client: Client, call: CallOptions) => contacts(client, call, (n) => `ada.${n}@acme.example`),
};

const churnRisk = { list_name: 'Churn risk', object: 'contacts', id_property: 'email' };

examine(connector, {
  upsert_contact: {
    type: 'contacts',
    fields: (n) => ({
      email: ` Ada.${n}@Acme.Example`,
      firstname: 'Ada ',
      churn_probability: `0.9${n}0`,
      scored_at: '2026-03-01T10:00:00+02:00',
      renewal_date: '2026-12-31',
      at_risk: 'True',
    }),
  },
  upsert_company: {
    type: 'companies',
    options: { id_property: 'customer_id' },
    fields: (n) => ({ customer_id: `C-00${n}`, name: `Acme ${n}`, domain: `ACME${n}.example`, mrr: '1200' }),
  },
  upsert_record: {
    type: 'p_invoices',
    options: { object: '2-3465404', id_property: 'invoice_id' },
    fields: (n) => ({
      invoice_id: `I-00${n}`,
      amount: `12${n}.50`,
      due_date: '2026-12-31',
      is_paid: 'False',
    }),
  },
  create_task: {
    ...onContacts,
    type: 'tasks',
    writes: 'objects/tasks/batch/upsert',
    reads: 'objects/tasks/batch/read',
    fields: (n) => ({
      subject: `Call Ada ${n} `,
      body: 'Churn risk 91%',
      due: '2026-03-01',
      priority: 'high',
      contact_email: `Ada.${n}@acme.example`,
    }),
  },
  create_note: {
    ...onContacts,
    type: 'notes',
    writes: 'objects/notes/batch/upsert',
    reads: 'objects/notes/batch/read',
    fields: (n) => ({
      body: `Churn risk 9${n}%`,
      time: '2026-03-01T10:00:00+02:00',
      contact_email: `ada.${n}@acme.example`,
    }),
  },
  create_ticket: {
    ...onContacts,
    type: 'tickets',
    writes: 'objects/tickets/batch/upsert',
    reads: 'objects/tickets/batch/read',
    fields: (n) => ({
      subject: `Restock A-${n}`,
      body: 'Runs out.',
      stage: '1',
      priority: 'high',
      days_left: `${n}.0`,
      contact_email: `ada.${n}@acme.example`,
    }),
  },
  create_deal: {
    ...onContacts,
    type: 'deals',
    writes: 'objects/deals/batch/upsert',
    reads: 'objects/deals/batch/read',
    fields: (n) => ({
      name: `Renewal ${n}`,
      stage: 'contractsent',
      amount: `12${n}0.50`,
      close_date: '2026-12-31',
      contact_email: `ada.${n}@acme.example`,
    }),
  },
  add_to_list: {
    type: 'memberships',
    options: churnRisk,
    writes: 'memberships/add',
    reads: 'memberships/batch/read',
    fields: (n) => ({ member: ` ${marked('add_to_list', n).toUpperCase()}` }),
    prepare: (client, call) => contacts(client, call, (n) => marked('add_to_list', n)),
  },
  remove_from_list: {
    type: 'memberships',
    options: churnRisk,
    writes: 'memberships/remove',
    reads: 'memberships/batch/read',
    fields: (n) => ({ member: marked('remove_from_list', n) }),
    prepare: async (client, call) => {
      await contacts(client, call, (n) => marked('remove_from_list', n));
      const members = [0, 1, 2].map((n) => ({ member: marked('remove_from_list', n) }));
      await write(client, call, 'add_to_list', churnRisk, members);
    },
  },
  archive_record: {
    type: 'tasks',
    options: { object: 'tasks' },
    fields: () => ({ archived: 'true' }),
    mark: (key) => `Call ${key.split('-').at(-2)}`,
    writes: 'batch/archive',
    parent: async (client, call, n) => {
      const key = `task-${n}`;
      const fields = { subject: `Call ${n}` };
      const item = { key, requestKey: key, mayRepeat: false, fields, parentId: undefined };
      const outcomes = await client.write('create_task', { key_property: 'readback_key' }, [item], call);
      const outcome = outcomes.get(key);
      return outcome?.kind === 'applied' ? outcome.id : '';
    },
  },
  associate: {
    type: 'associations',
    options: {
      from_object: 'contacts',
      from_property: 'email',
      to_object: 'companies',
      to_property: 'customer_id',
    },
    writes: 'batch/create',
    reads: 'associations/contacts/companies/batch/read',
    fields: (n) => ({ from: marked('associate', n), to: ' C-1', label: 'decision maker ' }),
    prepare: async (client, call, sandbox) => {
      await contacts(client, call, (n) => marked('associate', n));
      await write(client, call, 'upsert_company', { id_property: 'customer_id' }, [{ customer_id: 'C-1' }]);
      await fetch(`${sandbox.url}/crm/v4/associations/contacts/companies/labels`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${sandbox.settings.access_token}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ label: 'Decision maker', name: 'decision_maker' }),
      });
    },
  },
  dissociate: {
    type: 'associations',
    options: { from_object: 'contacts', to_object: 'companies' },
    writes: 'companies/batch/archive',
    reads: 'associations/contacts/companies/batch/read',
    fields: () => ({ associated: 'false' }),
    mark: (key) => key,
    prepare: async (client, call) => {
      await contacts(client, call, (n) => marked('dissociate', n));
      await write(client, call, 'upsert_company', { id_property: 'customer_id' }, [{ customer_id: 'C-1' }]);
    },
    parent: async (client, call, n) => {
      const options = {
        from_object: 'contacts',
        from_property: 'email',
        to_object: 'companies',
        to_property: 'customer_id',
      };
      const fields = { from: marked('dissociate', n), to: 'C-1' };
      const key = `association-${n}`;
      const item = { key, requestKey: key, mayRepeat: false, fields, parentId: undefined };
      const outcome = (await client.write('associate', options, [item], call)).get(key);
      return outcome?.kind === 'applied' ? outcome.id : '';
    },
  },
});
