import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { decideOutcome } from '../../src/act/decide.ts';
import type { Action, Call } from '../../src/ledger/action.ts';
import type { Lane } from '../../src/ledger/lane.ts';
import { decideReading } from '../../src/verify/decide.ts';
import { takeLane } from '../helpers/lane.ts';
import { freshDatabase } from '../helpers/postgres.ts';

const { pool } = await freshDatabase();
const policy = {
  idempotency: 'upsert',
  lagMs: 5_000,
  withinMs: 60_000,
  maxAttempts: 5,
  underWayMs: 1_000,
} as const;

before(() =>
  pool.query(`
    insert into polls (signal, scheduled_for, cause) values ('churn', now(), 'manual');
    insert into actions (key, message, poll, signal, destination, entity, sequence, transition, lane, state, due_at, expires_at, detected_at)
    select md5(n::text)::uuid, md5(n::text)::uuid, 1, 'churn', 'crm', 'C-' || n, 1, 'entered', 0, 'planned', now(), now() + interval '1 day', now()
    from generate_series(1, 3) as n`),
);

/** Intents committed for all that is due. */
async function sending(lane: Lane): Promise<Action[]> {
  const due = await lane.due(10);
  const wave = due.map((action) => ({
    action,
    intent: { key: action.key, sent: { email: 'y' }, locator: {} },
  }));
  assert.equal((await lane.commitIntents(wave)).size, due.length);
  return due.map((action) => ({ ...action, state: 'sending' }));
}

/** A write that was answered 300 ms ago, and its read-back just now. */
function writtenAndRead(action: Action) {
  const now = performance.now();
  const write = { kind: 'write', at: now - 300, duration_ms: 40 } as const;
  const read = { kind: 'read', at: now, duration_ms: 250 } as const;
  const accepted = decideOutcome(action, { kind: 'applied', id: `id of ${action.entity}` }, 5, write);
  const found = { kind: 'found', id: `id of ${action.entity}`, fields: {} } as const;
  return [
    accepted,
    decideReading({ ...action, state: 'accepted', attempts: accepted.attempts }, found, [], policy, read),
  ];
}

test('a holder that was overtaken while it was calling records nothing, and is told', async () => {
  const lane = await takeLane(pool, 'crm');
  const actions = await sending(lane);
  assert.equal(actions.length, 3);
  await takeLane(pool, 'crm');
  await assert.rejects(() => lane.record(actions.flatMap(writtenAndRead)), { code: 'LEDGER_FENCED' });
  const { rows } = await pool.query("select count(*) as done from actions where state = 'verified'");
  assert.equal(rows[0].done, 0);
  await pool.query("update actions set state = 'ready', due_at = now()");
});

test('a write and its read-back recorded together are two attempts in their order and one step of the action', async () => {
  const lane = await takeLane(pool, 'crm');
  const actions = await sending(lane);
  await lane.record(actions.flatMap(writtenAndRead));
  const { rows } = await pool.query(
    `select state, external_id, due_at, attempts, reason, settled_at - accepted_at >= interval '290 ms' as in_order
     from actions order by entity`,
  );
  assert.deepEqual(rows[0], {
    state: 'verified',
    external_id: 'id of C-1',
    due_at: null,
    // The one before was cut off by the overtaking.
    attempts: 2,
    reason: null,
    in_order: true,
  });
  const told = await pool.query(
    `select kind, outcome, decision, duration_ms from attempts
     where id = any((select attempt_ids from actions where key = $1)::bigint[]) and epoch = $2 order by id`,
    [actions[0]?.key, lane.epoch],
  );
  assert.deepEqual(told.rows, [
    { kind: 'write', outcome: 'intent', decision: 'send', duration_ms: null },
    { kind: 'write', outcome: 'applied', decision: 'read it back', duration_ms: 40 },
    { kind: 'read', outcome: 'verified', decision: 'done', duration_ms: 250 },
  ]);
});

test('actions of a batch share their attempts: one for the intent, one for the write, one for the read-back', async () => {
  await pool.query(
    "update actions set state = 'planned', due_at = now(), settled_at = null, attempt_ids = '{}'",
  );
  const lane = await takeLane(pool, 'crm');
  const actions = await sending(lane);
  const [one, ...others] = actions.toSorted((a, b) => a.entity.localeCompare(b.entity));
  assert.ok(one && others.length === 2);
  const [write, read] = writtenAndRead(one);
  const failed = { kind: 'failed', reason: 'cut off' } as const;
  assert.ok(write?.call && read?.call);
  const [second, third] = others.map((action) => {
    const accepted = decideOutcome(action, { kind: 'applied', id: 'x' }, 5, write.call as Call);
    const sent = { ...action, state: 'accepted', attempts: 1 } as const;
    const unread = decideReading(sent, failed, [], policy, read.call as Call);
    return [accepted, action.entity === 'C-2' ? { ...read, key: action.key, entity: action.entity } : unread];
  });
  await lane.record([write, read, ...(second ?? []), ...(third ?? [])]);
  const { rows } = await pool.query(
    `select array_agg(entity order by entity) as entities, attempts.actions, attempts.kind, attempts.outcome
     from actions join attempts on attempts.id = any(actions.attempt_ids)
     group by attempts.id order by attempts.id`,
  );
  assert.deepEqual(rows, [
    { entities: ['C-1', 'C-2', 'C-3'], actions: 3, kind: 'write', outcome: 'intent' },
    { entities: ['C-1', 'C-2', 'C-3'], actions: 3, kind: 'write', outcome: 'applied' },
    { entities: ['C-1', 'C-2'], actions: 2, kind: 'read', outcome: 'verified' },
    { entities: ['C-3'], actions: 1, kind: 'read', outcome: 'failed' },
  ]);
});

test('moves that the graph does not know are refused before anything is written', async () => {
  const lane = await takeLane(pool, 'crm');
  const [action] = (await pool.query<Action>('select * from actions limit 1')).rows;
  assert.ok(action);
  const [accepted] = writtenAndRead(action);
  assert.ok(accepted);
  await assert.rejects(() => lane.record([accepted]), /cannot go from verified to accepted/);
});
