import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { beforeEach, test } from 'node:test';
import {
  findDeadLetters,
  knownNames,
  openWork,
  pause,
  resume,
  retryDeadLetters,
  runOutcomes,
} from '../../src/ledger/commands.ts';
import { type ActionState, deadLetterStates } from '../../src/ledger/state.ts';
import { freshDatabase } from '../helpers/postgres.ts';

const { pool } = await freshDatabase();
const polled = await pool.query(
  `insert into polls (signal, scheduled_for, cause, state) values ('churn', now(), 'manual', 'done') returning id`,
);
const poll = polled.rows[0].id;

beforeEach(async () => {
  await pool.query('truncate signals, destinations, actions, attempts, connections cascade');
});

interface Given {
  state: ActionState;
  signal?: string;
  destination?: string;
  entity?: string;
  sequence?: number;
  attempts?: number;
}

async function given({ state, signal = 'churn', destination = 'crm', ...rest }: Given): Promise<string> {
  const key = randomUUID();
  await pool.query(
    `insert into actions (key, message, poll, signal, destination, entity, sequence, transition, lane, state, reason, due_at,
       settled_at, expires_at, attempts, detected_at)
     select $1, $1, $8, $2, $3, $4, $5, 'entered', 0, $6::action_state, 'as given',
       case when $6 in ('planned', 'ready', 'sending', 'accepted', 'unknown') then now() end,
       case when $6 not in ('planned', 'held', 'ready', 'sending', 'accepted', 'unknown') then now() end,
       now() - interval '1 hour', $7, now()`,
    [key, signal, destination, rest.entity ?? 'C-1', rest.sequence ?? 1, state, rest.attempts ?? 0, poll],
  );
  await pool.query(
    `insert into signals (name, version, shape) values ($1, 'v1', '') on conflict do nothing`,
    [signal],
  );
  const destinationRow = `insert into destinations (name, connection) values ($1, 'account') on conflict do nothing`;
  await pool.query(destinationRow, [destination]);
  return key;
}

async function stateOf(
  key: string,
): Promise<{ state: ActionState; reason: string | null; attempts: number }> {
  const { rows } = await pool.query('select state, reason, attempts from actions where key = $1', [key]);
  return rows[0];
}

const everywhere = { signals: ['churn', 'stock'], destinations: ['crm', 'team'], only: [] };
const ttls = new Map([['crm', 3_600_000]]);

test('a retried action is ready with fresh attempts and a fresh ttl, and the ledger says who did it', async () => {
  for (const state of deadLetterStates) await given({ state, entity: state, attempts: 8 });
  const letters = await findDeadLetters(pool, { ...everywhere, states: deadLetterStates });
  assert.equal(letters.length, deadLetterStates.length);
  assert.equal(await retryDeadLetters(pool, letters, ttls), deadLetterStates.length);
  for (const { key } of letters)
    assert.deepEqual(await stateOf(key), { state: 'ready', reason: null, attempts: 0 });
  const { rows } = await pool.query(
    `select min(expires_at) > now() + interval '50 minutes' as fresh from actions`,
  );
  assert.equal(rows[0].fresh, true);
  const notes = await pool.query(`select reason from attempts where kind = 'command' and outcome = 'retry'`);
  assert.ok(notes.rows.some(({ reason }) => reason === 'dead: as given'));
});

test('only chosen states, signals, destinations and entities are dead letters of a retry', async () => {
  const wanted = await given({ state: 'dead', entity: 'C-7' });
  await given({ state: 'rejected', entity: 'C-7', sequence: 2 });
  await given({ state: 'dead', entity: 'C-8' });
  await given({ state: 'dead', entity: 'C-7', destination: 'gone' });
  await given({ state: 'verified', entity: 'C-7', sequence: 3 });
  const letters = await findDeadLetters(pool, { ...everywhere, states: ['dead'], only: ['C-7'] });
  assert.deepEqual(
    letters.map(({ key }) => key),
    [wanted],
  );
});

test('an action that a newer one of its entity has overtaken is listed but not sent again', async () => {
  const older = await given({ state: 'dead', sequence: 1 });
  await given({ state: 'verified', sequence: 2 });
  const letters = await findDeadLetters(pool, { ...everywhere, states: ['dead'] });
  assert.deepEqual(
    letters.map(({ key, overtaken }) => [key, overtaken]),
    [[older, true]],
  );
  assert.equal(await retryDeadLetters(pool, letters, ttls), 0);
  assert.equal((await stateOf(older)).state, 'dead');
});

test('an action that moved on since it was listed is not retried', async () => {
  const key = await given({ state: 'dead' });
  const letters = await findDeadLetters(pool, { ...everywhere, states: ['dead'] });
  assert.equal(await retryDeadLetters(pool, letters, ttls), 1);
  assert.equal(await retryDeadLetters(pool, letters, ttls), 0);
  assert.equal((await stateOf(key)).state, 'ready');
});

test('a pause holds what has not been sent and leaves alone what has', async () => {
  const planned = await given({ state: 'planned', entity: 'C-1' });
  const ready = await given({ state: 'ready', entity: 'C-2', attempts: 2 });
  const sent = await given({ state: 'accepted', entity: 'C-3' });
  const elsewhere = await given({ state: 'planned', entity: 'C-4', destination: 'team' });
  const crm = { kind: 'destination' as const, name: 'crm' };
  assert.deepEqual(await pause(pool, crm, 'night', 'account'), { held: 2 });
  assert.deepEqual(await stateOf(planned), {
    state: 'held',
    reason: 'destination paused: night',
    attempts: 0,
  });
  assert.equal((await stateOf(sent)).state, 'accepted');
  assert.equal((await stateOf(elsewhere)).state, 'planned');
  assert.deepEqual(await resume(pool, crm), { wasPaused: true, released: 2, held: 0 });
  assert.equal((await stateOf(planned)).state, 'planned');
  assert.equal((await stateOf(ready)).state, 'ready');
  assert.deepEqual(await resume(pool, crm), { wasPaused: false, released: 0, held: 0 });
});

test('what two pauses hold stays held until both have ended, with the reason of the other', async () => {
  const key = await given({ state: 'planned' });
  const churn = { kind: 'signal' as const, name: 'churn' };
  const crm = { kind: 'destination' as const, name: 'crm' };
  await pause(pool, churn, 'audit', '');
  await pause(pool, crm, 'night', 'account');
  assert.deepEqual(await resume(pool, churn), { wasPaused: true, released: 0, held: 1 });
  assert.equal((await stateOf(key)).reason, 'destination paused: night');
  assert.deepEqual(await resume(pool, crm), { wasPaused: true, released: 1, held: 0 });
  assert.deepEqual(await stateOf(key), { state: 'planned', reason: null, attempts: 0 });
});

test('a name that the ledger has never seen can be paused before it first runs', async () => {
  await pause(pool, { kind: 'destination', name: 'new' }, 'not yet', 'account');
  assert.deepEqual(await knownNames(pool), [
    { kind: 'destination', name: 'new', paused: true, paused_reason: 'not yet' },
  ]);
});

test('open work tells for how long a connection rests, and why', async () => {
  await given({ state: 'ready' });
  await given({ state: 'verified', entity: 'C-2' });
  await pool.query(
    `insert into connections (name, breaker, retry_at, last_error)
     values ('account', 'open', clock_timestamp() + interval '1 minute', 'unauthorized')`,
  );
  const [work, ...none] = await openWork(pool, ['churn']);
  assert.deepEqual(none, []);
  assert.equal(work?.open, 1);
  assert.equal(work?.rest_reason, 'unauthorized');
  assert.equal(work?.unreachable, true);
  assert.ok((work?.rests_ms ?? 0) > 50_000);
});

test('the outcomes of a run are what it detected, what it settled, and what is open', async () => {
  const since = new Date(Date.now() + 60_000);
  await given({ state: 'verified', entity: 'C-1' });
  await given({ state: 'ready', entity: 'C-2' });
  assert.deepEqual(await runOutcomes(pool, ['churn'], since), [
    { signal: 'churn', destination: 'crm', state: 'ready', actions: 1 },
  ]);
  assert.equal((await runOutcomes(pool, ['churn'], new Date(0))).length, 2);
});
