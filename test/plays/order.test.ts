import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { type Play, play, signalFile } from '../helpers/play.ts';

const files = {
  'signals/churn.sql': signalFile,
  'destinations/ticket.yaml': `
connection: support
action: create_ticket
signals: [churn]
when: name != 'Nobody'
fields: { subject: "Call {{ name }}", body: "Score {{ score }}" }
verify: { lag: 300ms }
`,
  'destinations/alert.yaml': `
connection: team
action: post_message
signals: [churn]
after: ticket
on_failure: skip
fields: { channel: C0ALERTS, text: "{{ name }}: {{ results.ticket.url }} ({{ results.ticket.state }})" }
verify: { lag: 300ms }
`,
  'destinations/task.yaml': `
connection: crm
action: create_task
options: { key_property: readback_key }
signals: [churn]
after: [ticket, alert]
when: results.ticket.state == 'verified'
fields:
  subject: "Ticket {{ results.ticket.id }} of {{ name }}, told in {{ results.alert.id | default: 'no message' }}"
verify: { lag: 300ms }
`,
};

let house: Play;

before(async () => {
  house = await play(files);
});
after(() => house.close());
beforeEach(() => house.nextCustomer());

test('each step begins when the one before it is verified, and knows what it made', async () => {
  const customer = await house.enter();
  assert.deepEqual(await house.states(), { ticket: 'verified', alert: 'verified', task: 'verified' });
  const [ticket] = house.records('zendesk', `Call ${customer}"`);
  const [alert] = house.records('slack', `${customer}:`);
  const [task] = house.records('hubspot', `of ${customer},`);
  const url = `${house.sandboxes.get('zendesk')?.url}/agent/tickets/${ticket?.id}`;
  assert.equal(alert?.fields.text, `${customer}: <${url}> (verified)`);
  assert.equal(task?.fields.hs_task_subject, `Ticket ${ticket?.id} of ${customer}, told in ${alert?.id}`);
  assert.deepEqual(await house.sentInOrder(), ['ticket', 'alert', 'task']);
});

test('what comes after a step that a rule kept from acting does nothing either, and names the step', async () => {
  await house.rename('Nobody');
  await house.enter();
  assert.deepEqual(await house.states(), { ticket: 'suppressed', alert: 'suppressed', task: 'suppressed' });
  assert.deepEqual(await house.reasons(), {
    ticket: "when: name != 'Nobody' does not hold",
    alert: 'stopped: ticket is suppressed',
    task: 'stopped: ticket is suppressed',
  });
});

test('a step that was skipped leaves its results empty, and the later ones go on', async () => {
  house.sandboxes.get('slack')?.inject({ kind: 'reject_item', match: house.customer });
  const customer = await house.enter();
  assert.deepEqual(await house.states(), { ticket: 'verified', alert: 'rejected', task: 'verified' });
  assert.equal(house.records('hubspot', `${customer}, told in no message`).length, 1);
});

test('a step that failed stops the play; retried with success, it lets the steps that it stopped go on', async () => {
  house.sandboxes.get('zendesk')?.inject({ kind: 'reject_item', match: `Call ${house.customer}"` });
  const customer = await house.enter();
  assert.deepEqual(await house.states(), { ticket: 'rejected', alert: 'suppressed', task: 'suppressed' });
  assert.equal((await house.reasons()).task, 'stopped: ticket is rejected');
  await house.retry(['rejected']);
  assert.deepEqual(await house.states(), { ticket: 'verified', alert: 'verified', task: 'verified' });
  assert.equal(house.records('slack', `${customer}:`).length, 1);
  assert.equal(house.records('hubspot', `of ${customer},`).length, 1);
});

test('a play whose first step is paused waits, and goes on when it is resumed', async () => {
  await house.pause('ticket');
  await house.enter();
  await house.until('alert', /waiting for ticket/);
  assert.equal((await house.openStates()).ticket, 'held');
  await house.resume('ticket');
  assert.deepEqual(await house.states(), { ticket: 'verified', alert: 'verified', task: 'verified' });
});

test('the ledger balances', async () => {
  assert.deepEqual(await house.unbalanced(), []);
});
