import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Enricher } from '../../src/enrich/enrich.ts';
import { joinScopes } from '../../src/templates/index.ts';
import { type Rig, rig } from '../helpers/project.ts';

const files = {
  'signals/customers.sql': `/*
key: customer_id
on: [entered, changed]
backfill: all
*/
select customer_id, email, name from customers`,
  'destinations/contact.yaml': `
connection: crm
action: upsert_contact
signals: [customers]
on: [entered, changed]
fields: { email: "{{ email }}", firstname: "{{ name }}" }
verify: { lag: 200ms }
`,
};

let house: Rig;
before(async () => {
  house = await rig(
    files,
    "create table customers as select 'C-1' as customer_id, 'c1@acme.example' as email, 'first' as name",
  );
});
after(() => house.close());

test('a change right after the last one is sent as it is now, not as it was a moment ago', async () => {
  const engine = await house.engine();
  const signal = house.project.signals.get('customers');
  assert.ok(signal);
  for (const name of ['first', 'second', 'third']) {
    await house.warehouse.run(`update customers set name = '${name}'`);
    await engine.poll(signal);
    assert.deepEqual(await house.settled('contact'), { 'C-1': 'verified' });
    const [contact] = house.sandboxes.get('hubspot')?.records() ?? [];
    assert.equal(contact?.fields.firstname, name);
  }
});

test('what a look has read serves the actions of its own poll, and no other transition', async () => {
  const { pipeline } = await house.engine();
  const signal = house.project.signals.get('customers');
  assert.ok(signal);
  await house.warehouse.run("update customers set name = 'as it is'");
  const enricher = new Enricher((name) => pipeline.openings.warehouse(name));
  const nameOf = async (poll: string, sequence: number) => {
    const wanted = [{ entity: 'C-1', sequence, poll }];
    const scopes = await enricher.scopes(house.project, signal, [], wanted, new AbortController().signal);
    return joinScopes(...(scopes.get('C-1') ?? [])).name;
  };
  const columns = [{ name: 'name', type: 'text' as const, nativeType: 'VARCHAR' }];
  enricher.remember(signal, '7', columns, new Map([['C-1', ['as the look saw it']]]));
  assert.equal(await nameOf('7', 1), 'as the look saw it');
  assert.equal(await nameOf('8', 2), 'as it is');
});
