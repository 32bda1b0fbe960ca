import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Signal } from '../src/config/model.ts';
import type { Sandbox } from '../src/connectors/connector.ts';
import type { Engine } from '../src/engine/engine.ts';
import { type Rig, rig } from './helpers/project.ts';

const files = {
  'signals/customers.sql': `/*
key: customer_id
on: [entered, changed, left]
backfill: all
*/
select customer_id, email from customers`,
  'destinations/contact.yaml': `
connection: crm
action: upsert_contact
options: { id_property: customer_id }
signals: [customers]
on: [entered, changed, left]
fields:
  customer_id: "{{ customer_id }}"
  email: "{{ email }}"
  lifecyclestage: customer
left_fields:
  customer_id: "{{ customer_id }}"
  email: ""
  lifecyclestage: other
verify: { fields: [email], lag: 300ms }
`,
};

let house: Rig;
let engine: Engine;
let crm: Sandbox;

before(async () => {
  house = await rig(
    files,
    "create table customers as select 'C-' || i as customer_id, 'c' || i || '@acme.example' as email from range(1, 4) as r (i)",
  );
  engine = await house.engine();
  crm = house.sandboxes.get('hubspot') as Sandbox;
});
after(() => house.close());

const poll = () => engine.poll(house.project.signals.get('customers') as Signal);

function held(): unknown[] {
  const found = crm.records().find(({ fields }) => fields.customer_id === 'C-1');
  return [found?.fields.email, found?.fields.lifecyclestage];
}

async function told(): Promise<string[]> {
  const { rows } = await house.database.pool.query<{ told: string }>(
    "select transition || ' ' || state as told from actions where entity = 'C-1' order by sequence",
  );
  return rows.map((row) => row.told);
}

test('a row that has left is written with `left_fields`, needs nothing but its key, and is read back', async () => {
  await poll();
  await house.settled('contact');
  assert.deepEqual(held(), ['c1@acme.example', 'customer']);
  await house.warehouse.run("delete from customers where customer_id = 'C-1'");
  await poll();
  await house.settled('contact');
  assert.deepEqual(held(), [null, 'other']);
  assert.deepEqual(await told(), ['entered verified', 'left verified']);
});

test('who leaves and comes back while the leaving is still in doubt is a customer in the end', async () => {
  await house.warehouse.run("insert into customers values ('C-1', 'c1@acme.example')");
  await poll();
  await house.settled('contact');
  crm.inject({ kind: 'cut_before_write' });
  await house.warehouse.run("delete from customers where customer_id = 'C-1'");
  await poll();
  await house.warehouse.run("insert into customers values ('C-1', 'c1@acme.example')");
  await poll();
  await house.settled('contact');
  assert.deepEqual(held(), ['c1@acme.example', 'customer']);
  assert.equal((await told()).at(-1), 'entered verified');
});
