import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { Dispatcher } from '../../src/engine/dispatcher.ts';
import { Lane } from '../../src/ledger/lane.ts';
import type { Log } from '../../src/log.ts';
import { Queue } from '../../src/queue/queue.ts';
import { freshDatabase } from '../helpers/postgres.ts';
import { aProject } from '../helpers/project.ts';
import { aDestination, aSignal } from '../helpers/signal.ts';

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

async function asked(): Promise<number> {
  await dispatcher.dispatch();
  const { rows } = await pool.query(
    "select count(*) as found from readback_queue.job where name = 'lane/crm' and state = 'created'",
  );
  await pool.query("delete from readback_queue.job where name = 'lane/crm' and state = 'created'");
  return rows[0].found;
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
