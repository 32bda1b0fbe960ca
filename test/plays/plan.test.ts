import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { Signal } from '../../src/config/model.ts';
import { Openings } from '../../src/openings.ts';
import { planSignal, type SignalPlan } from '../../src/plan/plan.ts';
import { type Play, play, signalFile } from '../helpers/play.ts';

const step = (lines: string) => `signals: [churn]\nverify: { lag: 300ms }\n${lines}\n`;
const files = {
  'signals/churn.sql': signalFile,
  'destinations/contact.yaml': step(`connection: crm
action: upsert_contact
options: { id_property: customer_id }
when: name contains 'Customer' or name contains 'Nobody'
fields: { customer_id: "{{ customer_id }}", firstname: "{{ name }}" }`),
  'destinations/company.yaml': step(`connection: crm
action: upsert_company
options: { id_property: customer_id }
after: contact
fields: { customer_id: "{{ customer_id }}", name: "{{ name }}" }`),
  'destinations/ticket.yaml': step(`connection: support
action: create_ticket
after: company
fields: { subject: "Call {{ name }}", body: "Contact {{ results.contact.id }}" }`),
  'destinations/alert.yaml': step(`connection: team
action: post_message
after: ticket
fields: { channel: C0ALERTS, text: "{{ name }}" }`),
  'destinations/comment.yaml': step(`connection: team
action: post_message
after: alert
when: results.ticket.state == 'verified'
fields: { channel: C0LAST, text: "{{ name }}" }`),
  'destinations/closing.yaml': step(`connection: support
action: update_ticket
on: left
follows: ticket
fields: { status: solved }`),
  'destinations/label.yaml': step(`connection: support
action: update_ticket
follows: ticket
fields: { priority: high }`),
};

let scene: Play;
let openings: Openings;
before(async () => {
  scene = await play(files);
  openings = new Openings(scene.house.project, scene.house.database.pool);
});
after(async () => {
  await openings.close();
  await scene.close();
});
beforeEach(() => scene.nextCustomer());

async function plan(): Promise<SignalPlan> {
  return planSignal(
    scene.house.project,
    scene.house.project.signals.get('churn') as Signal,
    scene.house.database.pool,
    openings,
    { only: [scene.entity], limit: 100, signal: new AbortController().signal, onProgress: () => {} },
  );
}

async function told(): Promise<Record<string, string>> {
  const { actions } = await plan();
  return Object.fromEntries(
    actions.map(({ destination, effect, reason }) => [
      destination,
      reason === null ? effect : `${effect}: ${reason}`,
    ]),
  );
}

test('a step is read at its destination, unless what it says needs what an earlier one will have made', async () => {
  await scene.setScore(0.9);
  assert.deepEqual(await told(), {
    contact: 'create',
    company: 'create',
    ticket: 'waits: waits for contact',
    alert: 'create',
    comment: 'waits: waits for ticket',
    label: 'waits: waits for ticket',
  });
});

test('what the destination holds is told of later steps, too', async () => {
  await scene.enter();
  await scene.states();
  await scene.score(0.1);
  await scene.states();
  await scene.rename(`${scene.customer} & Co`);
  await scene.setScore(0.9);
  const { actions } = await plan();
  const company = actions.find(({ destination }) => destination === 'company');
  assert.deepEqual([company?.effect, company?.fields], ['update', ['name']]);
});

test('the record that an action follows is read where the ledger knows it', async () => {
  await scene.enter();
  await scene.states();
  await scene.setScore(0.1);
  const { actions } = await plan();
  assert.deepEqual(
    actions.map(({ destination, effect, fields }) => [destination, effect, fields]),
    // Zendesk holds the ticket, and not this change of it.
    [['closing', 'create', []]],
  );
});

test('an action that follows what never was has nothing to do', async () => {
  await scene.rename(`Unwanted ${scene.entity}.`);
  await scene.enter();
  await scene.states();
  await scene.setScore(0.1);
  assert.match((await told()).closing ?? '', /^suppressed: ticket was suppressed for this entity/);
});

test('what an earlier step refuses stops the later ones, and what is held holds them', async () => {
  await scene.rename(`Unwanted ${scene.entity}.`);
  await scene.setScore(0.9);
  const { contact, company, comment } = await told();
  assert.match(contact ?? '', /^suppressed: .*contains/);
  assert.deepEqual([company, comment], Array(2).fill('suppressed: stopped: contact is suppressed'));
  scene.nextCustomer();
  await scene.setScore(0.9);
  await scene.pause('company');
  const paused = await told();
  await scene.resume('company');
  assert.match(paused.company ?? '', /^held/);
  assert.equal(paused.contact, 'create');
  assert.deepEqual([paused.ticket, paused.alert], Array(2).fill('waits: waits for company, which is held'));
});
