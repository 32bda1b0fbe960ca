import { connector } from '../../src/connectors/kafka/index.ts';
import { examine } from '../contract.ts';

const candidate = {
  type: 'records',
  writes: 'Produce ',
  // The record's place, then what its topic got since: for its own partition and for the others.
  absence: 7,
  fields: (n: number) => ({
    event_type: `com.acme.customer.risk_${n}`,
    event_source: '/warehouse/churn',
    event_subject: `customer-${n}`,
    event_time: '2027-01-31T12:00:00Z',
    message_key: `Müller & Söhne ${n}`,
    data_company: `Müller & Söhne ${n}`,
    data_note: ' two\nlines ',
  }),
};

examine(connector, { publish: { ...candidate, options: { topic: 'customers', mode: 'structured' } } });
examine(connector, { publish: { ...candidate, options: { topic: 'customers', mode: 'binary' } } });
