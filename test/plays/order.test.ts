import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { inOrder } from '../../src/config/play.ts';
import { traceEntity } from '../../src/report/index.ts';
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

test('`preview` shows the steps in their order, with what stands for results', async () => {
  await house.enter();
  const [previewed] = await house.preview();
  const url = `${house.sandboxes.get('zendesk')?.url}/agent/tickets/(id of ticket)`;
  assert.deepEqual(
    previewed?.actions.map((one) => [
      one.destination,
      one.outcome === 'send' ? Object.values(one.fields).at(-1) : '',
    ]),
    [
      ['ticket', 'Score 0.9'],
      ['alert', `${house.customer}: ${url} (verified)`],
      ['task', `Ticket (id of ticket) of ${house.customer}, told in (id of alert)`],
    ],
  );
  await house.rename('Nobody');
  const [stopped] = await house.preview();
  assert.deepEqual(
    stopped?.actions.map((one) => ('reason' in one ? one.reason : one.outcome)),
    [
      "when: name != 'Nobody' does not hold",
      'stopped: ticket is suppressed',
      'stopped: ticket is suppressed',
    ],
  );
  await house.states();
});

test('`trace` shows the steps in their order', async () => {
  await house.enter();
  await house.states();
  const order = inOrder(house.house.project.destinations);
  const trace = await traceEntity(house.house.database.pool, house.entity, {}, order);
  assert.deepEqual(
    trace.messages[0]?.actions.map((one) => one.destination),
    ['ticket', 'alert', 'task'],
  );
});

test('a play is run for one entity alone', async () => {
  const chosen = house.entity;
  await house.setScore(0.9);
  house.nextCustomer();
  await house.setScore(0.9);
  await house.poll([chosen]);
  assert.deepEqual(await house.states(), {});
  const { rows } = await house.house.database.pool.query('select state from actions where entity = $1', [
    chosen,
  ]);
  assert.deepEqual(
    rows.map((row) => row.state),
    ['verified', 'verified', 'verified'],
  );
  await house.poll();
  await house.states();
});

test('the ledger balances', async () => {
  assert.deepEqual(await house.unbalanced(), []);
});
