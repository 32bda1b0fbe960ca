import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import type { Signal } from '../../src/config/model.ts';
import { Dispatcher } from '../../src/engine/dispatcher.ts';
import { Scheduler } from '../../src/engine/scheduler.ts';
import { Lane } from '../../src/ledger/lane.ts';
import type { Log } from '../../src/log.ts';
import { Queue } from '../../src/queue/queue.ts';
import { queries } from '../../src/store/queries.ts';
import { freshDatabase } from '../helpers/postgres.ts';
import { aProject } from '../helpers/project.ts';
import { aDestination, aSignal } from '../helpers/signal.ts';

const detect = queries('detect');
const { pool, url } = await freshDatabase();
const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };
const project = {
  ...aProject([aSignal({ name: 'churn' })]),
  destinations: new Map([['crm', aDestination({ name: 'crm', signals: ['churn'], lanes: 1 })]]),
};
const [us, them] = [randomUUID(), randomUUID()];

let queue: Queue;
let dispatcher: Dispatcher;
let turns = 0;
let isWorked = false;
const ends: (() => void)[] = [];

before(async () => {
  await pool.query("insert into destinations (name, connection) values ('crm', 'account')");
  const { rows } = await pool.query(
    "insert into polls (signal, scheduled_for, cause) values ('churn', clock_timestamp(), 'manual') returning id",
  );
  await pool.query(
    `insert into actions (key, message, poll, signal, destination, entity, sequence, transition, lane, state, due_at,
       expires_at, detected_at)
     values (gen_random_uuid(), gen_random_uuid(), $1, 'churn', 'crm', 'C-1', 1, 'entered', 0, 'planned', now(), now(), now())`,
    [rows[0].id],
  );
  queue = await Queue.start(url, silent);
  dispatcher = new Dispatcher({
    project,
    ledger: pool,
    queue,
    log: silent,
    process: us,
    warm: [],
    isWorked: () => isWorked,
  });
});
beforeEach(async () => {
  await pool.query('truncate lanes, processes');
  isWorked = false;
  for (const id of [us, them])
    await pool.query(
      "insert into processes (id, role, host, pid, version) values ($1, 'worker', 'a', 1, '0')",
      [id],
    );
});
after(async () => {
  for (const end of ends) end();
  await queue.stop(5_000);
});

const take = (process: string) => Lane.take(pool, 'crm', 0, { holder: process, process, lagMs: 0 });

/** How many jobs are queued after a look; they are taken away. */
async function asked(queue = 'lane/crm'): Promise<number> {
  await dispatcher.dispatch();
  const { rowCount } = await pool.query(
    "delete from readback_queue.job where name = $1 and state = 'created'",
    [queue],
  );
  return rowCount ?? 0;
}

test('a lane that another process alive is at is left to it, until it has missed its beats', async () => {
  await take(them);
  assert.equal(await asked(), 0);
  await pool.query("update processes set seen_at = clock_timestamp() - interval '11 s' where id = $1", [
    them,
  ]);
  assert.equal(await asked(), 1);
});

test('a lane that a turn of this process is at is left to it', async () => {
  await take(us);
  isWorked = true;
  assert.equal(await asked(), 0);
});

test('a lane that this process has without knowing is let go of, for anyone to take', async () => {
  await take(us);
  assert.equal(await asked(), 1);
  assert.notEqual(await take(them), undefined);
});

test('a tick that nobody polls is asked for again, also when its poller died', async () => {
  const signal = { signal: 'churn' };
  const tick = { ...signal, scheduled_for: '2026-01-31T09:30:00.500Z', cause: 'schedule' };
  await pool.query(
    'insert into polls (signal, scheduled_for, cause) values ($1, $2, $3)',
    Object.values(tick),
  );
  assert.equal(await asked('poll'), 1);
  const poller = await pool.connect();
  await detect.run(poller, 'try_lock', signal);
  assert.equal(await asked('poll'), 0, 'somebody is about to begin');
  await detect.run(poller, 'start_poll', tick);
  assert.equal(await asked('poll'), 0, 'somebody polls');
  // What a SIGKILL does to the session.
  poller.release(new Error('killed'));
  while ((await asked('poll')) === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  await pool.query("update polls set state = 'done'");
  assert.equal(await asked('poll'), 0);
});

test('the dispatcher asks for a tick under the name that the scheduler gave it', async () => {
  const at = new Date('2026-01-31T09:31:00.250Z');
  const [signal] = project.signals.values();
  await new Scheduler(project, pool, queue, silent).claim(signal as Signal, at, 'schedule');
  assert.equal(await asked('poll'), 1);
});

test('a queue that could not be made, as the ledger was away, is made the next time', async () => {
  const other = await Queue.start(url, silent);
  await pool.query('alter schema readback_queue rename to away');
  await assert.rejects(other.sendLane({ destination: 'crm', lane: 1 }));
  await pool.query('alter schema away rename to readback_queue');
  await other.sendLane({ destination: 'crm', lane: 1 });
  await other.stop(1_000);
});

test('a turn that a worker fetched and never heard of is given to another at once', async () => {
  await queue.workLanes('crm', 2, async () => {
    turns += 1;
    await new Promise<void>((resolve) => ends.push(resolve));
  });
  const until = performance.now() + 20_000;
  while (turns < 2) {
    assert.ok(performance.now() < until, `${turns} turns`);
    await dispatcher.dispatch();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});
