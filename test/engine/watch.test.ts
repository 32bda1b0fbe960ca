import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { allowedAge, readHealth } from '../../src/engine/health.ts';
import { Presence } from '../../src/engine/presence.ts';
import { Watch } from '../../src/engine/watch.ts';
import type { Log } from '../../src/log.ts';
import { freshDatabase } from '../helpers/postgres.ts';
import { aProject } from '../helpers/project.ts';
import { aDestination, aSignal } from '../helpers/signal.ts';

const { pool } = await freshDatabase();
const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

const churn = aSignal({ name: 'churn', schedule: { everyMs: 60_000 }, timeoutMs: 30_000 });
const project = {
  ...aProject([churn]),
  destinations: new Map([['crm', aDestination({ name: 'crm', signals: ['churn'] })]]),
};

beforeEach(async () => {
  await pool.query('truncate processes, polls, signals, destinations, actions, lanes, connections cascade');
});

async function polled(ago: string, how: { cause?: string; state?: string } = {}): Promise<void> {
  const { cause = 'schedule', state = 'done' } = how;
  await pool.query(
    `insert into polls (signal, scheduled_for, cause, state, started_at, finished_at, rows_read)
     select 'churn', at, $2, $3::poll_state, at, at, 1 from (select clock_timestamp() - $1::interval as at) as moment`,
    [ago, cause, state],
  );
}

async function due(
  destination: string,
  ago: string,
  lane: { holder?: string; takenAgo: string },
): Promise<void> {
  await pool.query(
    "insert into destinations (name, connection) values ($1, 'account') on conflict do nothing",
    [destination],
  );
  await pool.query(
    `insert into lanes (destination, lane, epoch, holder, taken_at)
     values ($1, 0, 1, $2, clock_timestamp() - $3::interval) on conflict do nothing`,
    [destination, lane.holder ?? null, lane.takenAgo],
  );
  await polled(ago, { cause: 'manual' });
  await pool.query(
    `insert into actions (key, message, poll, signal, destination, entity, sequence, transition, lane, state, due_at,
       expires_at, detected_at)
     select gen_random_uuid(), gen_random_uuid(), max(id), 'churn', $1, 'C-1', 1, 'entered', 0, 'sending',
       clock_timestamp() - $2::interval, now(), now() from polls`,
    [destination, ago],
  );
}

async function present(role: string, silentFor = '0 s'): Promise<void> {
  await pool.query(
    `insert into processes (id, role, host, pid, version, seen_at)
     values (gen_random_uuid(), $1, 'a', 1, '0', clock_timestamp() - $2::interval)`,
    [role, silentFor],
  );
}

const troubles = async () => (await readHealth(pool, project)).troubles;

test('a schedule may be three of its intervals late, as long as they just were, or its timeout and a minute', () => {
  const at = (schedule: Parameters<typeof aSignal>[0]['schedule'], now: string, timeoutMs = 30_000) =>
    (allowedAge(aSignal({ schedule, timeoutMs }), new Date(now)) ?? 0) / 60_000;
  assert.equal(at({ everyMs: 600_000 }, '2026-01-30T10:00:00Z'), 20);
  assert.equal(at({ everyMs: 600_000 }, '2026-01-30T10:09:00Z'), 29);
  assert.equal(at({ everyMs: 1_000 }, '2026-01-30T10:00:00Z'), 1.5);
  const workdays = { cron: '0 9 * * 1-5', timezone: 'UTC' };
  // Monday, ten past nine: the third tick back is Thursday's.
  assert.equal(at(workdays, '2026-02-02T09:10:00Z'), 4 * 24 * 60 + 10);
  assert.equal(allowedAge(aSignal({ schedule: undefined }), new Date()), undefined);
});

test('a schedule that was fired and is not followed by polls any more is overdue', async () => {
  await present('all');
  await polled('10 min');
  const [trouble, ...none] = await troubles();
  assert.deepEqual(none, []);
  assert.equal(trouble?.kind, 'overdue');
  assert.match(trouble?.detail ?? '', /^the last poll ended 10m ago; by its schedule it may be \dm old$/);
  await polled('1 min');
  assert.deepEqual(await troubles(), []);
});

test('who is missing is said', async () => {
  await polled('10 min');
  assert.match((await troubles())[0]?.detail ?? '', /no process is running$/);
  await present('worker');
  await present('scheduler', '1 min');
  assert.match((await troubles())[0]?.detail ?? '', /no scheduler is running$/);
});

test('polls that were skipped, or died with their process, are no polls', async () => {
  await present('all');
  await polled('10 min');
  await polled('1 s', { state: 'skipped' });
  await pool.query(
    `insert into polls (signal, scheduled_for, cause, state, finished_at) values ('churn', now(), 'schedule', 'failed', now())`,
  );
  assert.equal((await troubles())[0]?.kind, 'overdue');
});

test('the first poll of all has as much time as any other', async () => {
  await present('all');
  const queued = (ago: string) =>
    pool.query(
      `insert into polls (signal, scheduled_for, cause, state)
       values ('churn', clock_timestamp() - $1::interval, 'catch_up', 'queued')`,
      [ago],
    );
  await queued('30 s');
  assert.deepEqual(await troubles(), []);
  await queued('10 min');
  assert.equal((await troubles())[0]?.kind, 'overdue');
});

test('a signal that is paused, or that no schedule ever fired, is not overdue', async () => {
  await polled('10 min', { cause: 'manual' });
  assert.deepEqual(await troubles(), []);
  await polled('9 min');
  assert.equal((await troubles()).length, 1);
  await pool.query(
    `insert into signals (name, version, shape, paused_at, paused_reason) values ('churn', '', '', now(), 'audit')`,
  );
  assert.deepEqual(await troubles(), []);
});

test('an action that nobody takes is stuck, with the reason; a backlog that is worked is not', async () => {
  await present('all');
  await due('crm', '30 min', { takenAgo: '10 s' });
  assert.deepEqual(await troubles(), []);
  await pool.query("update lanes set taken_at = clock_timestamp() - interval '20 min'");
  const reason = async () => (await troubles())[0]?.detail ?? '';
  assert.match(await reason(), /^1 action due since .* \(C-1\): nobody takes its lane$/);
  await pool.query("update lanes set holder = 'pid 7 on b'");
  assert.match(await reason(), /pid 7 on b took its lane and never let go$/);
  await pool.query(
    "insert into connections (name, breaker, last_error) values ('account', 'open', 'unauthorized: no such token')",
  );
  assert.match(await reason(), /its connection rests: unauthorized: no such token$/);
  await pool.query("update processes set role = 'scheduler'");
  assert.match(await reason(), /no worker is running$/);
});

test('work for a destination whose file is gone or broken is stuck, and says so', async () => {
  await present('all');
  await due('gone', '30 min', { takenAgo: '30 min' });
  assert.match((await troubles())[0]?.detail ?? '', /no usable file of the project names it$/);
});

test('trouble is logged as an error once, and once more when it is over', async () => {
  const lines: string[] = [];
  const note = (level: string) => (fields: object, message: string) => {
    lines.push(`${level} ${Object.values(fields)[0]} ${message}`);
  };
  const watch = new Watch(project, pool, { ...silent, error: note('error'), info: note('info') });
  await present('all');
  await due('crm', '30 min', { takenAgo: '30 min' });
  await watch.look();
  await watch.look();
  await pool.query('delete from actions');
  await watch.look();
  assert.deepEqual(lines, ['error crm actions stuck', 'info crm actions stuck: over']);
});

test('a scheduler that has just begun does not complain about what nobody could poll before', async () => {
  await polled('10 min');
  const errors: string[] = [];
  const watch = new Watch(project, pool, { ...silent, error: (_, message) => void errors.push(message) });
  await watch.look();
  assert.deepEqual(errors, []);
});

test('a process is among those at work until it ends; a killed one falls silent and is forgotten', async () => {
  const presence = new Presence(pool, 'worker', silent);
  await presence.start();
  await present('all', '30 s');
  await present('all', '2 hours');
  const processes = async () => (await readHealth(pool, project)).processes;
  assert.deepEqual((await processes()).map(({ role, alive }) => `${role} ${alive}`).sort(), [
    'all false',
    'all false',
    'worker true',
  ]);
  await new Watch(project, pool, silent).look();
  assert.equal((await processes()).length, 2);
  await presence.stop();
  assert.deepEqual(
    (await processes()).map(({ role }) => role),
    ['all'],
  );
});

test('a process learns that a newer version has migrated the ledger', async () => {
  const presence = new Presence(pool, 'worker', silent);
  await presence.start();
  await pool.query("insert into migrations (version, checksum) values (1000, '')");
  assert.match(await presence.outdated, /newer Readback has migrated the ledger to version 1000/);
  await pool.query('delete from migrations where version = 1000');
  await presence.stop();
});
