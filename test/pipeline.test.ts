import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { FaultKind, SandboxRecord } from '../src/connectors/connector.ts';
import type { Engine } from '../src/engine/engine.ts';
import { takeLane } from './helpers/lane.ts';
import { type Rig, rig } from './helpers/project.ts';
import { until } from './helpers/until.ts';

const files = {
  'signals/churn.sql': `/*
key: customer_id
when: score > 0.8
rearm: score < 0.6
observed_at: scored_at
*/
select customer_id, email, name, score, scored_at from customers`,
  'destinations/contact.yaml': `
connection: crm
action: upsert_contact
signals: [churn]
fields:
  email: "{{ email }}"
  firstname: "{{ name }}"
verify: { lag: 300ms }
`,
  'destinations/ticket.yaml': `
connection: support
action: create_ticket
signals: [churn]
fields: { subject: "Call {{ name }}", body: "Score {{ score | percent }}" }
verify: { lag: 300ms }
`,
  'destinations/alert.yaml': `
connection: team
action: post_message
signals: [churn]
when: score > 0.9
fields: { channel: C0ALERTS, text: "{{ name }} <at risk>" }
verify: { lag: 300ms }
`,
  'destinations/reply.yaml': `
connection: team
action: reply_in_thread
signals: [churn]
follows: alert
fields: { text: "Ticket opened for {{ name }}" }
verify: { lag: 300ms }
`,
};

const setup = `
create table customers as
select 'C-' || i as customer_id, 'c' || i || '@acme.example' as email, 'Customer ' || i as name, 0.1 as score, now() as scored_at
from range(50) as r (i)`;

let house: Rig;
let engine: Engine;
let next = 0;

before(async () => {
  house = await rig(files, setup);
  engine = await house.engine();
  const churn = house.project.signals.get('churn');
  assert.ok(churn);
  assert.equal((await engine.poll(churn)).state, 'baseline');
});
after(() => house.close());

/** A customer that no other test has used. */
beforeEach(() => {
  next += 1;
});

async function enter(score = 0.85): Promise<string> {
  await house.warehouse.run(
    `update customers set score = ${score}, scored_at = now() where customer_id = 'C-${next}'`,
  );
  const churn = house.project.signals.get('churn');
  assert.ok(churn);
  const result = await engine.poll(churn);
  assert.equal(result.state, 'done', result.reason ?? '');
  return `C-${next}`;
}

function records(connector: string, containing: string): SandboxRecord[] {
  return (house.sandboxes.get(connector)?.records() ?? []).filter((record) =>
    JSON.stringify(record.fields).includes(containing),
  );
}

async function attempts(entity: string, destination: string): Promise<string[]> {
  const { rows } = await house.database.pool.query(
    `select attempts.outcome from attempts join actions on attempts.id = any(actions.attempt_ids)
     where actions.entity = $1 and actions.destination = $2 order by attempts.id`,
    [entity, destination],
  );
  return rows.map((row) => row.outcome);
}

test('an entity that enters is acted on once at every destination and read back', async () => {
  const entity = await enter(0.95);
  assert.equal((await house.settled('contact'))[entity], 'verified');
  assert.equal((await house.settled('ticket'))[entity], 'verified');
  assert.equal((await house.settled('alert'))[entity], 'verified');
  assert.equal(records('hubspot', `c${next}@acme.example`).length, 1);
  assert.equal(records('zendesk', `Call Customer ${next}`).length, 1);
  assert.equal(records('slack', `Customer ${next} `).length, 1);
});

test('a destination whose condition does not hold gets nothing, and the ledger says why', async () => {
  const entity = await enter(0.85);
  assert.equal((await house.settled('alert'))[entity], 'suppressed');
  const { rows } = await house.database.pool.query(
    "select reason from actions where entity = $1 and destination = 'alert'",
    [entity],
  );
  assert.match(rows[0].reason, /when: score > 0.9 does not hold/);
  assert.equal(records('slack', `Customer ${next} `).length, 0);
});

test('what follows waits for the record it follows, and does nothing when there rightly is none', async () => {
  const alerted = await enter(0.95);
  const reply = await house.settled('reply');
  assert.equal(reply[alerted], 'verified');
  const [message] = records('slack', `"Customer ${next} `);
  const [answer] = records('slack', `opened for Customer ${next}"`);
  assert.equal(answer?.fields.thread_ts, message?.fields.ts ?? 'no message');
  next += 1;
  const quiet = await enter(0.85);
  assert.equal((await house.settled('reply'))[quiet], 'suppressed');
});

test('what follows a record that was promised and not made waits for the one that is made in its place', async () => {
  house.sandboxes.get('slack')?.inject({ kind: 'accept_without_write', match: `Customer ${next} ` });
  const entity = await enter(0.95);
  assert.equal((await house.settled('alert', 60_000))[entity], 'verified');
  assert.ok((await attempts(entity, 'alert')).includes('missing'));
  assert.equal((await house.settled('reply', 60_000))[entity], 'verified');
  const [message] = records('slack', `"Customer ${next} `);
  const [answer] = records('slack', `opened for Customer ${next}"`);
  assert.equal(answer?.fields.thread_ts, message?.fields.ts ?? 'no message');
});

const mended: { fault: FaultKind; seen: string }[] = [
  { fault: 'throttle', seen: 'throttled' },
  { fault: 'throttle_bare', seen: 'throttled' },
  { fault: 'error_before_write', seen: 'ambiguous' },
  { fault: 'error_after_write', seen: 'ambiguous' },
  { fault: 'cut_before_write', seen: 'ambiguous' },
  { fault: 'cut_after_write', seen: 'ambiguous' },
  { fault: 'accept_without_write', seen: 'missing' },
  { fault: 'garbage', seen: 'ambiguous' },
];

for (const { fault, seen } of mended) {
  test(`${fault}: a ticket is made exactly once and verified`, async () => {
    house.sandboxes
      .get('zendesk')
      ?.inject({ kind: fault, retryAfterSeconds: 1, match: `Call Customer ${next}"` });
    const entity = await enter();
    assert.equal((await house.settled('ticket', 60_000))[entity], 'verified');
    assert.equal(records('zendesk', `"Call Customer ${next}"`).length, 1);
    assert.ok(
      (await attempts(entity, 'ticket')).includes(seen),
      (await attempts(entity, 'ticket')).join(', '),
    );
  });
}

test('after an answer that proved to be a lie, a lost answer is looked for as if it were the first', async () => {
  const slack = house.sandboxes.get('slack');
  const match = `Customer ${next} `;
  slack?.inject({ kind: 'accept_without_write', match });
  const entity = await enter(0.95);
  await until('a read-back misses it', async () => (await attempts(entity, 'alert')).includes('missing'));
  slack?.inject({ kind: 'error_after_write', match });
  assert.equal((await house.settled('alert', 60_000))[entity], 'verified');
  assert.ok((await attempts(entity, 'alert')).includes('ambiguous'), 'the second answer was not lost');
  assert.equal(records('slack', match).length, 1);
});

test('a wrong value at an upsertable destination is written again and verified', async () => {
  house.sandboxes.get('hubspot')?.inject({ kind: 'alter', match: `c${next}@acme.example` });
  const entity = await enter();
  assert.equal((await house.settled('contact'))[entity], 'verified');
  assert.ok((await attempts(entity, 'contact')).includes('differs'));
  assert.equal(records('hubspot', `c${next}@acme.example`)[0]?.fields.firstname, `Customer ${next}`);
});

test('a wrong value where nothing may be written twice is shown as differs', async () => {
  house.sandboxes.get('zendesk')?.inject({ kind: 'alter', match: `Call Customer ${next}"` });
  const entity = await enter();
  assert.equal((await house.settled('ticket'))[entity], 'differs');
});

test('a row the destination refuses is rejected with its words, and its neighbours go through', async () => {
  await house.warehouse.run(`update customers set email = 'broken' where customer_id = 'C-${next}'`);
  const refused = await enter();
  next += 1;
  const accepted = await enter();
  const states = await house.settled('contact');
  assert.equal(states[refused], 'rejected');
  assert.equal(states[accepted], 'verified');
});

test('a missing value is an error that names file and variable, never a hole in a message', async () => {
  await house.warehouse.run(`update customers set name = null where customer_id = 'C-${next}'`);
  const entity = await enter();
  assert.equal((await house.settled('ticket'))[entity], 'rejected');
  const { rows } = await house.database.pool.query(
    "select reason from actions where entity = $1 and destination = 'ticket'",
    [entity],
  );
  assert.match(rows[0].reason, /destinations\/ticket\.yaml:\d+.*name/s);
});

test('what a dead worker had begun is taken up by the next and not doubled', async () => {
  const { pool } = house.database;
  await engine.drain();
  const idle = await house.engine();
  // The write reached the destination, and the worker died before it recorded the answer.
  house.sandboxes.get('zendesk')?.inject({ kind: 'slow', delayMs: 1_500, match: `Call Customer ${next}"` });
  engine = idle;
  const entity = await enter();
  await until('it is being sent', async () => {
    const { rows } = await pool.query(
      "select 1 from actions where entity = $1 and destination = 'ticket' and state = 'sending'",
      [entity],
    );
    return rows.length > 0;
  });
  // It has missed its beats, and another machine has taken the lane.
  await pool.query('delete from processes');
  await takeLane(pool, 'ticket', 'another machine');
  assert.equal((await house.settled('ticket', 60_000))[entity], 'verified');
  assert.equal(records('zendesk', `"Call Customer ${next}"`).length, 1);
  assert.ok((await attempts(entity, 'ticket')).includes('orphaned'));
});

test('what could not be sent within its ttl expires and is not sent any more', async () => {
  const zendesk = house.sandboxes.get('zendesk');
  zendesk?.inject({ kind: 'throttle', retryAfterSeconds: 2, match: `Call Customer ${next}"` });
  const entity = await enter();
  await until('it is throttled', async () => (await attempts(entity, 'ticket')).includes('throttled'));
  await house.database.pool.query(
    "update actions set expires_at = clock_timestamp() where entity = $1 and destination = 'ticket'",
    [entity],
  );
  assert.equal((await house.settled('ticket'))[entity], 'expired');
  assert.equal(records('zendesk', `"Call Customer ${next}"`).length, 0);
});

test('the ledger balances and keeps no value that was sent', async () => {
  const { rows } = await house.database.pool.query('select * from balance where unaccounted <> 0');
  assert.deepEqual(rows, []);
  const dump = await house.database.pool.query('select sent::text, reason from actions');
  assert.ok(!JSON.stringify(dump.rows).includes('Call Customer'));
});
