import { connector } from '../../src/connectors/hubspot/index.ts';
import { examine } from '../contract.ts';

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
  create_task: {
    type: 'tasks',
    writes: 'objects/tasks/batch/upsert',
    reads: 'objects/tasks/batch/read',
    later: ['contact_email'],
    fields: (n) => ({
      subject: `Call Ada ${n} `,
      body: 'Churn risk 91%',
      due: '2026-03-01',
      priority: 'high',
      contact_email: `Ada.${n}@acme.example`,
    }),
    prepare: async (client, call) => {
      const items = [0, 1, 2].map((n) => ({
        key: `contact-${n}`,
        requestKey: `contact-${n}`,
        mayRepeat: false,
        fields: { email: `ada.${n}@acme.example` },
        parentId: undefined,
      }));
      await client.write('upsert_contact', { id_property: 'email' }, items, call);
    },
  },
});
