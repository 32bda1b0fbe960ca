import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Signal } from '../src/config/model.ts';
import type { Sandbox } from '../src/connectors/connector.ts';
import { withPollLock } from '../src/detect/lock.ts';
import type { Engine } from '../src/engine/engine.ts';
import { Openings } from '../src/openings.ts';
import { type PlanOptions, planSignal, type SignalPlan } from '../src/plan/plan.ts';
import { type Rig, rig } from './helpers/project.ts';

const files = {
  'signals/customers.sql': `/*
key: email
on: [entered, changed, left]
backfill: all
*/
select email, name, plan from customers`,
  'destinations/contact.yaml': `
connection: crm
action: upsert_contact
signals: [customers]
on: [entered, changed]
fields:
  email: "{{ email }}"
  firstname: "{{ name }}"
  lifecyclestage: customer
verify: { lag: 300ms }
`,
  'destinations/former_contact.yaml': `
connection: crm
action: upsert_contact
signals: [customers]
on: [left]
fields: { email: "{{ email }}", lifecyclestage: other }
verify: { lag: 300ms }
`,
  'signals/quiet.sql': `/*
key: email
*/
select email from customers`,
};

const setup = `
create table customers as
select 'c' || i || '@acme.example' as email, 'Customer ' || i as name, 'pro' as plan
from range(40) as r (i)`;

let house: Rig;
let engine: Engine;
let crm: Sandbox;
let openings: Openings;

before(async () => {
  house = await rig(files, setup);
  engine = await house.engine();
  crm = house.sandboxes.get('hubspot') as Sandbox;
  openings = new Openings(house.project, house.database.pool);
});
after(async () => {
  await openings.close();
  await house.close();
});

const signalOf = (name: string) => house.project.signals.get(name) as Signal;

function plan(name = 'customers', choice: Partial<PlanOptions> = {}): Promise<SignalPlan> {
  return planSignal(house.project, signalOf(name), house.database.pool, openings, {
    only: [],
    limit: 10_000,
    signal: new AbortController().signal,
    onProgress: () => {},
    ...choice,
  });
}

/** How many actions of each effect. */
function effects({ actions }: SignalPlan): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { effect } of actions) counts[effect] = (counts[effect] ?? 0) + 1;
  return counts;
}

/** All that a poll or a worker writes, but for the connections' budgets. */
async function ledger(): Promise<string> {
  const tables = [
    'signals',
    'entities',
    'buckets',
    'polls',
    'messages',
    'actions',
    'attempts',
    'detections',
    'lanes',
  ];
  const held = [];
  for (const table of tables) {
    const { rows } = await house.database.pool.query(`select t::text as row from ${table} as t order by 1`);
    held.push([table, rows]);
  }
  return JSON.stringify(held);
}

/** Plans and holds it to its word: nothing is written, neither there nor in the ledger. */
async function harmless(name?: string, choice?: Partial<PlanOptions>): Promise<SignalPlan> {
  const before = { records: crm.records(), ledger: await ledger(), asked: crm.requests().length };
  const planned = await plan(name, choice);
  assert.deepEqual(crm.records(), before.records);
  assert.equal(await ledger(), before.ledger);
  for (const { path } of crm.requests().slice(before.asked)) assert.match(path, /\/batch\/read$/);
  return planned;
}

async function run(): Promise<void> {
  assert.notEqual((await engine.poll(signalOf('customers'))).state, 'failed');
  await house.settled('contact');
}

test('before the first run every row is one that would be created', async () => {
  const planned = await harmless();
  assert.equal(planned.poll.state, 'baseline', planned.poll.reason ?? '');
  assert.equal(planned.poll.members, 40);
  assert.equal(planned.poll.entered, 40);
  assert.deepEqual(effects(planned), { create: 40 });
});

test('a limit bounds what is looked at, not what is counted', async () => {
  const planned = await harmless('customers', { limit: 7 });
  assert.equal(planned.detected.get('contact'), 40);
  assert.deepEqual(effects(planned), { create: 7 });
});

test('a baseline that acts on nothing says how many it would record', async () => {
  const planned = await harmless('quiet');
  assert.equal(planned.poll.state, 'baseline');
  assert.equal(planned.poll.members, 40);
  assert.deepEqual([planned.poll.entered, planned.actions], [0, []]);
});

test('after the run there is nothing to do', async () => {
  await run();
  assert.equal(crm.records().length, 40);
  const planned = await harmless();
  assert.equal(planned.poll.state, 'done');
  assert.deepEqual(planned.actions, []);
});

test('what changed is an update of the fields that differ, or none where the record already holds it', async () => {
  await house.warehouse.run(`
    update customers set name = 'Ada Moreno' where email = 'c1@acme.example';
    update customers set plan = 'free' where email = 'c2@acme.example';
    delete from customers where email = 'c3@acme.example';
    insert into customers values ('c40@acme.example', 'Customer 40', 'pro')`);
  const planned = await harmless();
  const told = planned.actions.map((one) => [one.entity, one.transition, one.effect, one.fields]);
  assert.deepEqual(told, [
    ['c1@acme.example', 'changed', 'update', ['firstname']],
    ['c2@acme.example', 'changed', 'no_change', []],
    ['c3@acme.example', 'left', 'update', ['lifecyclestage']],
    ['c40@acme.example', 'entered', 'create', []],
  ]);
});

test('what a person changed there counts, too', async () => {
  await edit('c1@acme.example', { firstname: 'Ada Moreno' });
  await edit('c2@acme.example', { firstname: 'Somebody', lifecyclestage: 'lead' });
  const { actions } = await harmless('customers', { only: ['c1@acme.example', 'c2@acme.example'] });
  assert.deepEqual(
    actions.map(({ effect, fields }) => [effect, fields]),
    [
      ['no_change', []],
      ['update', ['firstname', 'lifecyclestage']],
    ],
  );
});

test('the run does what was planned, and then there is nothing to do', async () => {
  const planned = await plan();
  await run();
  const { rows } = await house.database.pool.query(
    'select destination, entity, state::text from actions where poll = (select max(id) from polls) order by entity',
  );
  assert.deepEqual(
    rows,
    planned.actions.map(({ destination, entity }) => ({ destination, entity, state: 'verified' })),
  );
  assert.deepEqual((await harmless()).actions, []);
});

test('what cannot be rendered is refused, with the file at fault', async () => {
  await house.warehouse.run("update customers set name = null where email = 'c4@acme.example'");
  const [action] = (await harmless()).actions;
  assert.equal(action?.effect, 'refused');
  assert.match(action?.reason ?? '', /destinations\/contact\.yaml:\d+/);
  await house.warehouse.run("update customers set name = 'Customer 4' where email = 'c4@acme.example'");
});

test('a destination that does not answer leaves it unknown', async () => {
  await house.warehouse.run("update customers set name = 'Grace' where email = 'c5@acme.example'");
  crm.inject({ kind: 'read_error' });
  const [action] = (await plan()).actions;
  assert.deepEqual([action?.effect, action?.answered], ['unknown', false]);
  assert.deepEqual(effects(await plan()), { update: 1 });
});

test('a 429 is waited for', async () => {
  crm.inject({ kind: 'throttle', retryAfterSeconds: 1 });
  assert.deepEqual(effects(await plan()), { update: 1 });
});

test('a poll under way is not disturbed', async () => {
  const held = await withPollLock(house.database.pool, signalOf('customers'), () => plan());
  assert.equal(held.poll.state, 'skipped');
  assert.deepEqual(held.actions, []);
});

test('what a pause would hold is held', async () => {
  await house.database.pool.query(
    "update destinations set paused_at = now(), paused_reason = 'no' where name = 'contact'",
  );
  const [action] = (await harmless()).actions;
  assert.deepEqual([action?.effect, action?.reason], ['held', 'destination paused: no']);
});

/** As a person would in the vendor's pages. */
async function edit(email: string, properties: Record<string, string>): Promise<void> {
  const { access_token, base_url } = crm.settings;
  const answer = await fetch(`${base_url}/crm/v3/objects/contacts/batch/upsert`, {
    method: 'POST',
    headers: { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ inputs: [{ idProperty: 'email', id: email, properties }] }),
  });
  assert.equal(answer.status, 200);
}
