import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { dissociationOf } from '../../src/connectors/hubspot/dissociate.ts';
import { type HubSpotAccount, openAccount } from '../helpers/hubspot.ts';

let account: HubSpotAccount;
beforeEach(async () => {
  account = await openAccount();
});
afterEach(() => account.close());

const key = { key_property: 'readback_key' };

describe('a record of HubSpot that is made once', () => {
  it('can be put on a contact, a company and a deal at once', async () => {
    const ids = {
      contact_id: await account.contact('ada@b.example'),
      company_id: await account.company('C-1'),
      deal_id: await account.deal('D-1'),
    };
    const fields = { subject: 'Churn risk', stage: '1', ...ids };
    assert.equal((await account.write('create_ticket', key, fields)).kind, 'applied');
    const reading = await account.read('create_ticket', key, fields);
    assert.deepEqual(reading.kind === 'found' && reading.fields, fields);
  });
  it('takes properties of the account beside the named ones, each under one name', async () => {
    const { fields } = account.action('create_deal');
    const deal = { name: 'Renewal', stage: 'contractsent', churn_reason: 'price' };
    assert.deepEqual(fields.parse(deal), deal);
    assert.match(String(fields.safeParse({ ...deal, dealname: 'Other' }).error), /dealname/);
    assert.equal((await account.write('create_deal', key, deal)).kind, 'applied');
    const reading = await account.read('create_deal', key, deal);
    assert.deepEqual(reading.kind === 'found' && reading.fields, deal);
  });
  it('is not made without a text, or at a time that is none', async () => {
    const codes = [];
    for (const fields of [{ body: ' ' }, { body: 'Hello', time: 'soon' }]) {
      const outcome = await account.write('create_note', key, fields);
      codes.push(outcome.kind === 'rejected' && outcome.code);
    }
    assert.deepEqual(codes, ['EMPTY_BODY', 'INVALID_TIME']);
    assert.deepEqual(account.sandbox.records(), []);
  });
});

describe('upsert_record of HubSpot', () => {
  it('writes the same record under the name of its object and under its type id', async () => {
    const fields = { invoice_id: 'I-1', amount: '12.5' };
    const outcomes = [];
    for (const object of ['p_invoices', '2-3465404'])
      outcomes.push(await account.write('upsert_record', { object, id_property: 'invoice_id' }, fields));
    assert.deepEqual(outcomes[0], outcomes[1]);
    assert.deepEqual(
      account.sandbox.records().map(({ type, writes }) => [type, writes]),
      [['p_invoices', 2]],
    );
  });
  it('is refused in one call when there is no such object, and doctor says so', async () => {
    const options = { object: 'p_invoice', id_property: 'invoice_id' };
    const all = Array.from({ length: 50 }, (_, n) => ({ invoice_id: `I-${n}` }));
    for (const outcome of await account.writeAll('upsert_record', options, all))
      assert.ok(outcome.kind === 'rejected' && outcome.permanent);
    assert.equal(account.sandbox.requests().length, 1);
    const ends = {
      from_object: 'p_invoice',
      from_property: 'invoice_id',
      to_object: 'p_invoice',
      to_property: 'invoice_id',
    };
    const pairs = all.map(({ invoice_id }) => ({ from: invoice_id, to: invoice_id }));
    for (const outcome of await account.writeAll('associate', ends, pairs))
      assert.ok(outcome.kind === 'rejected' && outcome.permanent);
    assert.equal(account.sandbox.requests().length, 3);
    const [finding] = await account.check('upsert_record', options);
    assert.match(finding?.problem ?? '', /no object p_invoice/);
  });
});

describe('an association of HubSpot', () => {
  const options = {
    from_object: 'contacts',
    from_property: 'email',
    to_object: 'companies',
    to_property: 'customer_id',
  };
  const fields = { from: 'ada@b.example', to: 'C-1' };
  const labels = async () => {
    const [held] = account.sandbox.records().filter(({ type }) => type === 'associations');
    return held?.fields.labels;
  };
  beforeEach(async () => {
    await account.contact('ada@b.example');
    await account.company('C-1');
    for (const label of ['Decision maker', 'Billing'])
      await account.post('/crm/v4/associations/contacts/companies/labels', { label });
  });

  it('keeps the labels it has when it gets another one, or none', async () => {
    const both = [
      { ...fields, label: 'billing' },
      { ...fields, label: 'Decision maker' },
    ];
    assert.deepEqual(
      (await account.writeAll('associate', options, both)).map(({ kind }) => kind),
      ['applied', 'applied'],
    );
    assert.deepEqual(await labels(), ['Decision maker', 'Billing']);
    await account.write('associate', options, { ...fields, label: 'Billing' });
    await account.write('associate', options, fields);
    assert.deepEqual(await labels(), ['Decision maker', 'Billing']);
    for (const label of ['billing', 'Decision maker']) {
      const reading = await account.read('associate', options, { ...fields, label });
      assert.match(reading.kind === 'found' ? String(reading.fields.label) : '', new RegExp(label, 'i'));
    }
  });
  it('is seen from either side, and only between the two', async () => {
    await account.company('C-2');
    await account.write('associate', options, fields);
    const back = {
      from_object: 'companies',
      from_property: 'customer_id',
      to_object: 'contacts',
      to_property: 'email',
    };
    assert.equal((await account.read('associate', back, { from: 'C-1', to: 'ada@b.example' })).kind, 'found');
    assert.equal((await account.read('associate', options, { ...fields, to: 'C-2' })).kind, 'absent');
  });
  it('is not made with a label the account has not, or with a record it does not know', async () => {
    const codes = [];
    for (const more of [{ label: 'Boss' }, { to: 'C-9' }, { from: 'bob@b.example' }]) {
      const outcome = await account.write('associate', options, { ...fields, ...more });
      codes.push(outcome.kind === 'rejected' && outcome.code);
    }
    assert.deepEqual(codes, ['UNKNOWN_LABEL', 'UNKNOWN_TARGET', 'UNKNOWN_TARGET']);
    assert.equal(await labels(), undefined);
  });
  it('is taken back whole, or by its label alone, and once it is gone that is what is told', async () => {
    const ends = { from_object: 'contacts', to_object: 'companies' };
    const plain = await account.write('associate', options, fields);
    const labelled = await account.write('associate', options, { ...fields, label: 'Billing' });
    assert.ok(plain.kind === 'applied' && labelled.kind === 'applied');
    const back = async (given: object, { id }: { id: string }) => {
      const outcome = await account.write('dissociate', { ...ends, ...given }, { associated: 'false' }, id);
      return outcome.kind === 'rejected' ? outcome.code : outcome.kind;
    };
    assert.equal(await back({}, plain), 'LABELLED');
    assert.equal(await back({ label: 'decision maker' }, labelled), 'already');
    assert.equal(await back({ label: 'billing' }, labelled), 'applied');
    assert.deepEqual(await labels(), []);
    assert.equal((await account.read('associate', options, fields)).kind, 'found');
    assert.equal(await back({}, plain), 'applied');
    assert.equal(await back({}, plain), 'already');
    assert.equal((await account.read('associate', options, fields)).kind, 'absent');
  });
  it('can be undone unless each row has a label of its own', () => {
    const inverseOf = (label: string) =>
      dissociationOf({ action: 'associate', fields: { ...fields, label }, options });
    assert.deepEqual(inverseOf('Billing')?.options, {
      from_object: 'contacts',
      to_object: 'companies',
      label: 'Billing',
    });
    assert.equal(inverseOf('{{ role }}'), undefined);
  });
  it('fails for the one record that is refused, also when others share its company', async () => {
    const emails = ['bob@b.example', 'eve@b.example'];
    for (const email of emails) await account.contact(email);
    account.sandbox.inject({ kind: 'reject_item', match: 'bob@b.example' });
    const all = [fields, ...emails.map((from) => ({ ...fields, from }))];
    const before = account.sandbox.requests().length;
    assert.deepEqual(
      (await account.writeAll('associate', options, all)).map(({ kind }) => kind),
      ['applied', 'rejected', 'applied'],
    );
    // Both ends looked up, and one request for all: the refusal names both of its records.
    assert.equal(account.sandbox.requests().length - before, 3);
  });
});
