import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type HubSpotAccount, openAccount } from '../helpers/hubspot.ts';

let account: HubSpotAccount;
beforeEach(async () => {
  account = await openAccount();
});
afterEach(() => account.close());

const churnRisk = { list_name: 'Churn risk', object: 'contacts', id_property: 'email' };

describe('a list of HubSpot', () => {
  it('is left alone where somebody is in it already, or is not in it', async () => {
    await account.contact('ada@b.example');
    const member = { member: 'ada@b.example' };
    assert.equal((await account.write('remove_from_list', churnRisk, member)).kind, 'already');
    assert.equal((await account.write('add_to_list', churnRisk, member)).kind, 'applied');
    assert.equal((await account.write('add_to_list', churnRisk, member)).kind, 'already');
    assert.equal((await account.read('add_to_list', churnRisk, member)).kind, 'found');
    assert.equal((await account.read('remove_from_list', churnRisk, member)).kind, 'absent');
    assert.equal((await account.write('remove_from_list', churnRisk, member)).kind, 'applied');
    assert.equal((await account.read('remove_from_list', churnRisk, member)).kind, 'found');
  });
  it('takes companies by a property of theirs, and by their record ids', async () => {
    await account.post('/crm/v3/lists/', { name: 'Key/accounts', objectTypeId: '0-2' });
    const id = await account.company('C-1');
    const byName = { list_name: 'Key/accounts', object: 'companies', id_property: 'customer_id' };
    assert.deepEqual(await account.write('add_to_list', byName, { member: 'C-1' }), { kind: 'applied', id });
    const byId = { list_id: '2', object: 'companies', id_property: 'hs_object_id' };
    assert.deepEqual(await account.read('add_to_list', byId, { member: id }), {
      kind: 'found',
      id,
      fields: { member: id },
    });
  });
  it('lets off whom a destination follows, by the record alone', async () => {
    const id = await account.contact('ada@b.example');
    await account.write('add_to_list', churnRisk, { member: 'ada@b.example' });
    assert.equal((await account.read('remove_from_list', churnRisk, {}, id)).kind, 'absent');
    assert.deepEqual(await account.write('remove_from_list', churnRisk, {}, id), { kind: 'applied', id });
    assert.equal((await account.read('remove_from_list', churnRisk, {}, id)).kind, 'found');
    const nobody = await account.write('remove_from_list', churnRisk, {});
    assert.equal(nobody.kind === 'rejected' && nobody.code, 'EMPTY_TARGET');
  });
  it('is not changed for somebody HubSpot does not know', async () => {
    await account.contact('ada@b.example');
    const outcomes = await account.writeAll('add_to_list', churnRisk, [
      { member: 'ada@b.example' },
      { member: 'bob@b.example' },
      { member: ' ' },
    ]);
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.kind === 'rejected' ? outcome.code : outcome.kind)),
      ['applied', 'UNKNOWN_TARGET', 'EMPTY_TARGET'],
    );
  });
  it('refuses everybody at once when there is no such list', async () => {
    const members = Array.from({ length: 20 }, (_, n) => ({ member: `${n}@b.example` }));
    for (const { member } of members) await account.contact(member);
    const before = account.sandbox.requests().length;
    for (const list of [{ list_name: 'Nobody' }, { list_id: '77' }]) {
      const options = { object: 'contacts', id_property: 'email', ...list };
      for (const outcome of await account.writeAll('add_to_list', options, members))
        assert.ok(outcome.kind === 'rejected' && outcome.permanent, JSON.stringify(outcome));
    }
    assert.equal(account.sandbox.requests().length - before, 3);
  });
  it('is looked at by doctor', async () => {
    assert.deepEqual(await account.check('add_to_list', churnRisk), []);
    await account.post('/crm/v3/lists/', { name: 'All', processingType: 'DYNAMIC' });
    const problems = async (options: object) =>
      (await account.check('add_to_list', { ...churnRisk, ...options })).map(({ problem }) => problem).join();
    assert.match(await problems({ list_name: 'Nobody' }), /no list Nobody of 0-1 records/);
    assert.match(await problems({ list_name: 'All' }), /All is active: HubSpot alone decides/);
    const companies = { list_name: undefined, list_id: '1', object: 'companies', id_property: 'customer_id' };
    assert.match(await problems(companies), /list 1 holds 0-1 records, not 0-2/);
  });
  it('is named by its id or by its name, and not by both', () => {
    const { options } = account.action('add_to_list');
    assert.equal(options.safeParse({ list_id: '1' }).success, true);
    assert.equal(options.safeParse({ list_id: '1', list_name: 'Churn risk' }).success, false);
    assert.equal(options.safeParse({}).success, false);
    assert.equal(options.safeParse({ list_id: '1', object: 'p_invoices' }).success, false);
  });
});
