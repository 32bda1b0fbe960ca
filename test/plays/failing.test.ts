import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { type Play, play, signalFile } from '../helpers/play.ts';

const alert = (name: string, more: string) => ({
  [`destinations/${name}.yaml`]: `
connection: team
action: post_message
signals: [churn]
fields: { channel: C0${name.toUpperCase()}, text: "${name} of {{ name }}" }
verify: { lag: 300ms }
max_attempts: 1
${more}
`,
});

// first → second → third; second may be skipped, third takes back the first two.
const files = {
  'signals/churn.sql': signalFile,
  'destinations/ticket.yaml': `
connection: support
action: create_ticket
signals: [churn]
fields: { subject: "Call {{ name }}", body: "Score {{ score }}" }
verify: { lag: 300ms }
max_attempts: 1
`,
  ...alert('second', 'after: ticket\non_failure: skip'),
  ...alert('third', 'after: second\non_failure: compensate'),
  ...alert('fourth', 'after: third'),
};

let house: Play;
before(async () => {
  house = await play(files);
});
after(() => house.close());
beforeEach(() => house.nextCustomer());

const slack = () => house.sandboxes.get('slack');

test('a step that is skipped does not keep the play from being undone later', async () => {
  slack()?.inject({ kind: 'reject_item', match: `second of ${house.customer}` });
  slack()?.inject({ kind: 'reject_item', match: `third of ${house.customer}` });
  await house.enter();
  assert.deepEqual(await house.states(), {
    ticket: 'verified',
    second: 'rejected',
    third: 'rejected',
    fourth: 'suppressed',
    'ticket.undo': 'verified',
  });
});

test('what stopped a step that may be skipped stops what comes after it as well', async () => {
  house.sandboxes.get('zendesk')?.inject({ kind: 'reject_item', match: `Call ${house.customer}"` });
  await house.enter();
  const { ticket, ...later } = await house.states();
  assert.equal(ticket, 'rejected');
  assert.deepEqual(later, { second: 'suppressed', third: 'suppressed', fourth: 'suppressed' });
  assert.equal((await house.reasons()).fourth, 'stopped: ticket is rejected');
});

test('a step that differs may have had its effect: the play stops, and nothing is undone', async () => {
  slack()?.inject({ kind: 'alter', match: `third of ${house.customer}` });
  await house.enter();
  const states = await house.states();
  assert.deepEqual([states.third, states.fourth], ['differs', 'suppressed']);
  assert.equal(states['ticket.undo'], undefined);
});

test('a step that is too late is undone like one that failed', async () => {
  await house.pause('second');
  await house.enter();
  await house.until('third', /waiting for second/);
  await house.expire('third');
  await house.reached('third', 'expired');
  await house.resume('second');
  const states = await house.states();
  assert.deepEqual(
    [states.second, states['ticket.undo'], states.fourth],
    ['suppressed', 'verified', 'suppressed'],
  );
  assert.equal(
    slack()
      ?.records()
      .filter((one) => String(one.fields.text).includes(house.customer)).length,
    0,
  );
});

test('an undoing that fails is a dead letter, holds up no other, and is done when it is retried', async () => {
  slack()?.inject({ kind: 'reject_item', match: `third of ${house.customer}` });
  house.sandboxes.get('zendesk')?.inject({ kind: 'reject_item', match: 'Withdrawn' });
  const customer = await house.enter();
  const states = await house.states();
  assert.deepEqual([states['second.undo'], states['ticket.undo']], ['verified', 'rejected']);
  await house.retry(['rejected'], ['ticket.undo']);
  assert.equal((await house.states())['ticket.undo'], 'verified');
  assert.equal(house.records('zendesk', `Call ${customer}"`)[0]?.fields.status, 'solved');
});

test('an undoing can be paused by its name', async () => {
  await house.pause('ticket.undo');
  slack()?.inject({ kind: 'reject_item', match: `third of ${house.customer}` });
  const customer = await house.enter();
  await house.reached('ticket.undo', 'held');
  await house.reached('second.undo', 'verified');
  assert.equal(house.records('zendesk', `Call ${customer}"`)[0]?.fields.status, 'new');
  await house.resume('ticket.undo');
  assert.equal((await house.states())['ticket.undo'], 'verified');
});

test('the ledger balances', async () => {
  assert.deepEqual(await house.unbalanced(), []);
});
