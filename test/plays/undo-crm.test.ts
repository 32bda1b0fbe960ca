import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Play, play, signalFile } from '../helpers/play.ts';

const step = (lines: string) => `signals: [churn]\nverify: { lag: 300ms }\n${lines}\n`;
const files = {
  'signals/churn.sql': signalFile,
  'destinations/task.yaml': step(`connection: crm
action: create_task
options: { key_property: readback_key }
fields: { subject: "Call {{ name }}" }`),
  'destinations/list.yaml': step(`connection: crm
action: add_to_list
options: { list_name: Churn risk, id_property: customer_id }
after: task
fields: { member: "{{ customer_id }}" }`),
  'destinations/link.yaml': step(`connection: crm
action: associate
options: { from_object: contacts, from_property: customer_id, to_object: companies, to_property: customer_id }
after: task
fields: { from: "{{ customer_id }}", to: "{{ customer_id }}" }`),
  'destinations/alert.yaml': step(`connection: team
action: post_message
after: [list, link]
on_failure: compensate
fields: { channel: C0ALERTS, text: "{{ name }} is on the list" }`),
  'signals/everyone.sql': `/*
key: customer_id
backfill: all
*/
select customer_id, name from customers where customer_id = 'C-1'`,
  'destinations/company.yaml': `connection: crm
action: upsert_company
options: { id_property: customer_id }
signals: [everyone]
fields: { customer_id: "{{ customer_id }}", name: "{{ name }}" }
verify: { lag: 300ms }
`,
  'destinations/contact.yaml': `connection: crm
action: upsert_contact
options: { id_property: customer_id }
signals: [everyone]
fields: { customer_id: "{{ customer_id }}", firstname: "{{ name }}" }
verify: { lag: 300ms }
`,
};

let house: Play;
before(async () => {
  house = await play(files);
  await house.house.settled('contact');
});
after(() => house.close());

test('a task is archived, a member taken off the list and an association taken back, and all are read back', async () => {
  house.nextCustomer();
  house.sandboxes.get('slack')?.inject({ kind: 'reject_item', match: 'is on the list' });
  await house.enter();
  const { contact: _, company: __, ...states } = await house.states();
  assert.deepEqual(states, {
    task: 'verified',
    list: 'verified',
    link: 'verified',
    alert: 'rejected',
    'list.undo': 'verified',
    'link.undo': 'verified',
    'task.undo': 'verified',
  });
  assert.ok(await house.beganAfter('task.undo', 'list.undo'));
  const held = house.sandboxes.get('hubspot')?.records() ?? [];
  const task = held.find(({ type }) => type === 'tasks');
  const membership = held.find(({ type }) => type === 'memberships');
  const association = held.find(({ type }) => type === 'associations');
  assert.deepEqual([task?.fields['is archived'], membership?.fields.isMember], [true, false]);
  assert.equal(association?.fields.isGone, true);
});
