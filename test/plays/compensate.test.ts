import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { type Play, play, signalFile } from '../helpers/play.ts';

const files = {
  'signals/churn.sql': signalFile,
  'destinations/ticket.yaml': `
connection: support
action: create_ticket
signals: [churn]
fields: { subject: "Call {{ name }}", body: "Score {{ score }}" }
verify: { lag: 300ms }
`,
  'destinations/alert.yaml': `
connection: team
action: post_message
signals: [churn]
after: ticket
fields: { channel: C0ALERTS, text: "{{ name }}: ticket {{ results.ticket.id }}" }
verify: { lag: 300ms }
`,
  // A sister of the task: after the ticket, but not before the task.
  'destinations/note.yaml': `
connection: team
action: post_message
signals: [churn]
after: ticket
fields: { channel: C0NOTES, text: "Note on {{ name }}" }
verify: { lag: 300ms }
`,
  'destinations/task.yaml': `
connection: crm
action: create_task
options: { key_property: readback_key }
signals: [churn]
after: alert
on_failure: compensate
fields: { subject: "Task for {{ name }} in {{ results.alert.id }}" }
verify: { lag: 300ms }
`,
  'destinations/last.yaml': `
connection: team
action: post_message
signals: [churn]
after: task
fields: { channel: C0LAST, text: "All done for {{ name }}" }
verify: { lag: 300ms }
`,
};

const withdrawn = /^_Withdrawn/;
let house: Play;

before(async () => {
  house = await play(files);
});
after(() => house.close());
beforeEach(() => house.nextCustomer());

/** What the destinations hold of the customer's play. */
function held(customer: string) {
  const [ticket] = house.records('zendesk', `Call ${customer}"`);
  const messages = house.sandboxes.get('slack')?.records() ?? [];
  const inChannel = (channel: string, text: string) =>
    messages.filter((one) => one.fields.channel === channel && String(one.fields.text).includes(text));
  return { ticket, alerts: inChannel('C0ALERTS', customer), notes: inChannel('C0NOTES', customer) };
}

test('when all goes well nothing is undone', async () => {
  await house.enter();
  const states = await house.states();
  assert.deepEqual(new Set(Object.values(states)), new Set(['verified']));
  assert.deepEqual(Object.keys(states).sort(), ['alert', 'last', 'note', 'task', 'ticket']);
});

test('a step that fails undoes what came before it, the latest first, and what else hung on it', async () => {
  house.sandboxes.get('hubspot')?.inject({ kind: 'reject_item', match: house.customer });
  house.sandboxes.get('slack')?.inject({ kind: 'slow', delayMs: 1_500, times: 2, match: 'Withdrawn' });
  const customer = await house.enter();
  assert.deepEqual(await house.states(), {
    ticket: 'verified',
    alert: 'verified',
    note: 'verified',
    task: 'rejected',
    last: 'suppressed',
    'alert.undo': 'verified',
    'note.undo': 'verified',
    'ticket.undo': 'verified',
  });
  const { ticket, alerts, notes } = held(customer);
  assert.equal(ticket?.fields.status, 'solved');
  assert.deepEqual([alerts, notes], [[], []], 'the messages still say what is no longer so');
  assert.ok(await house.beganAfter('ticket.undo', 'alert.undo'));
  assert.ok(await house.beganAfter('ticket.undo', 'note.undo'));
  assert.deepEqual(await house.calls('ticket.undo'), ['undo', 'intent', 'applied', 'verified']);
});

test('what was undone is not done again: a retried step finds its play called off', async () => {
  house.sandboxes.get('hubspot')?.inject({ kind: 'reject_item', match: house.customer });
  await house.enter();
  await house.states();
  await house.retry(['rejected']);
  const states = await house.states();
  assert.deepEqual([states.task, states.last], ['suppressed', 'suppressed']);
  assert.match((await house.reasons()).task ?? '', /^stopped: (ticket|alert) was undone$/);
  assert.equal(await house.count('ticket.undo'), 1);
});

test('a play that is overtaken half-way is undone, if its next step compensates', async () => {
  await house.pause('task');
  const customer = await house.enter();
  await house.until('task', /destination paused/);
  await house.reached('alert', 'verified');
  await house.reached('note', 'verified');
  await house.score(0.1);
  await house.resume('task');
  const states = await house.states();
  assert.deepEqual(
    [states.task, states['alert.undo'], states['ticket.undo']],
    ['superseded', 'verified', 'verified'],
  );
  assert.equal(held(customer).ticket?.fields.status, 'solved');
});

test('a play that is overtaken before it began is only superseded', async () => {
  await house.pause('ticket');
  await house.enter();
  await house.until('ticket', /paused/);
  await house.score(0.1);
  await house.resume('ticket');
  const states = await house.states();
  assert.deepEqual(
    Object.keys(states).filter((name) => name.endsWith('.undo')),
    [],
  );
});

test('a step whose outcome is still open is waited for, then undone', async () => {
  house.sandboxes.get('hubspot')?.inject({ kind: 'reject_item', match: house.customer });
  // The note is in doubt for longer than the rest of the play takes.
  house.sandboxes.get('slack')?.inject({ kind: 'slow', delayMs: 2_500, match: `Note on ${house.customer}` });
  const customer = await house.enter();
  const states = await house.states();
  assert.equal(states.note, 'verified');
  assert.equal(states['note.undo'], 'verified');
  assert.equal(states['ticket.undo'], 'verified');
  assert.deepEqual(held(customer).notes, []);
});

test('a step that had no effect is not undone', async () => {
  house.sandboxes.get('hubspot')?.inject({ kind: 'reject_item', match: house.customer });
  house.sandboxes.get('slack')?.inject({ kind: 'reject_item', match: `Note on ${house.customer}` });
  await house.enter();
  const states = await house.states();
  assert.equal(states.note, 'rejected');
  assert.ok(states['note.undo'] === undefined || states['note.undo'] === 'suppressed');
  assert.equal(states['ticket.undo'], 'verified');
});

test('every undoing is counted in a row of its own, and the sum holds', async () => {
  assert.deepEqual(await house.unbalanced(), []);
  const { rows } = await house.house.database.pool.query(
    "select detected, verified from balance where destination = 'ticket.undo'",
  );
  assert.equal(rows[0].detected, rows[0].verified);
});

test('undone messages say that they were withdrawn', () => {
  const texts =
    house.sandboxes
      .get('slack')
      ?.records()
      .map((one) => String(one.fields.text)) ?? [];
  assert.ok(texts.some((text) => withdrawn.test(text)));
});
