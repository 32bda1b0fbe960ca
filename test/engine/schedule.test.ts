import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { Scheduler } from '../../src/engine/scheduler.ts';
import { previousTick, startTicker } from '../../src/engine/ticks.ts';
import type { Log } from '../../src/log.ts';
import { Queue } from '../../src/queue/queue.ts';
import { queries } from '../../src/store/queries.ts';
import { freshDatabase, type TestDatabase } from '../helpers/postgres.ts';
import { aProject } from '../helpers/project.ts';
import { aSignal } from '../helpers/signal.ts';
import { until } from '../helpers/until.ts';

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

let database: TestDatabase;
let queue: Queue;
before(async () => {
  database = await freshDatabase();
  queue = await Queue.start(database.url, silent);
});
after(async () => {
  await queue.stop(1_000);
  await database.drop();
});

async function polls(signal: string): Promise<{ cause: string; state: string; reason: string | null }[]> {
  const { rows } = await database.pool.query(
    'select cause, state, reason from polls where signal = $1 order by scheduled_for',
    [signal],
  );
  return rows;
}

async function queued(signal: string): Promise<number> {
  const { rows } = await database.pool.query(
    "select count(*) as found from readback_queue.job where name = 'poll' and data ->> 'signal' = $1",
    [signal],
  );
  return rows[0].found;
}

function scheduler(signals: Parameters<typeof aProject>[0]): Scheduler {
  return new Scheduler(aProject(signals), database.pool, queue, silent);
}

test('a tick that three schedulers see fires once', async () => {
  const signal = aSignal({ name: 'thrice', schedule: { everyMs: 60_000 } });
  const tick = new Date('2026-01-31T09:30:00Z');
  await Promise.all([1, 2, 3].map(() => scheduler([signal]).claim(signal, tick, 'schedule')));
  assert.equal((await polls('thrice')).length, 1);
  assert.equal(await queued('thrice'), 1);
});

test('a tick that the ledger could not take is taken when the ledger is back', async () => {
  const at = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 1_000);
  const [hour, minute, second] = [at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()];
  const cron = `${second} ${minute} ${hour} * * *`;
  const signal = aSignal({ name: 'daily', schedule: { cron, timezone: 'UTC' } });
  await database.pool.query(
    "insert into polls (signal, scheduled_for, cause, state) values ('daily', now(), 'schedule', 'done')",
  );
  const complaints: string[] = [];
  const log: Log = { ...silent, error: (_fields, message) => void complaints.push(String(message)) };
  const daily = new Scheduler(aProject([signal]), database.pool, queue, log);
  await daily.start();
  await database.pool.query('alter table polls rename to polls_away');
  await until('a complaint', () => complaints.length > 0);
  await database.pool.query('alter table polls_away rename to polls');
  await until('two polls', async () => (await polls('daily')).length === 2);
  await daily.stop();
  assert.match(complaints[0] ?? '', /offered again/);
});

test('a tick while the last poll is under way is skipped, and says so', async () => {
  const signal = aSignal({ name: 'slow', schedule: { everyMs: 60_000 } });
  await scheduler([signal]).claim(signal, new Date(Date.now() - 1_000), 'schedule');
  await scheduler([signal]).claim(signal, new Date(), 'schedule');
  const [first, second] = await polls('slow');
  assert.equal(first?.state, 'queued');
  assert.equal(second?.state, 'skipped');
  assert.match(second?.reason ?? '', /still waits for a worker/);
  assert.equal(await queued('slow'), 1);
});

test('a poll counts as under way while its session holds the lock, and not a tick longer', async () => {
  const signal = aSignal({ name: 'killed', schedule: { everyMs: 1_000 } });
  const ticks = [4_000, 3_000, 2_000].map((ago) => new Date(Date.now() - ago));
  await scheduler([signal]).claim(signal, ticks[0] as Date, 'schedule');
  const poller = await database.pool.connect();
  await queries('detect').run(poller, 'try_lock', { signal: 'killed' });
  await queries('detect').run(poller, 'start_poll', {
    signal: 'killed',
    scheduled_for: ticks[0],
    cause: 'schedule',
  });
  await scheduler([signal]).claim(signal, ticks[1] as Date, 'schedule');
  // What a SIGKILL does to the session.
  poller.release(new Error('killed'));
  await until('no lock is held', async () => (await locks()) === 0);
  await scheduler([signal]).claim(signal, ticks[2] as Date, 'schedule');
  const [dead, skipped, next] = await polls('killed');
  assert.match(skipped?.reason ?? '', /is still under way/);
  assert.equal(dead?.state, 'failed');
  assert.match(dead?.reason ?? '', /its process ended/);
  assert.equal(next?.state, 'queued');
  assert.equal(await queued('killed'), 2, 'the dead job must not be in the way of the new one');
});

async function locks(): Promise<number> {
  const { rows } = await database.pool.query(
    "select count(*) as held from pg_locks where locktype = 'advisory' and classid = hashtext('readback.poll')::oid",
  );
  return rows[0].held;
}

test('a poll that has been silent for longer than it could take does not block the schedule', async () => {
  const signal = aSignal({ name: 'lost', schedule: { everyMs: 60_000 }, timeoutMs: 1_000 });
  await scheduler([signal]).claim(signal, new Date(Date.now() - 3_600_000), 'schedule');
  await database.pool.query("delete from readback_queue.job where data ->> 'signal' = 'lost'");
  await scheduler([signal]).claim(signal, new Date(), 'schedule');
  assert.deepEqual(
    (await polls('lost')).map((poll) => poll.state),
    ['queued', 'queued'],
  );
});

test('what was missed while nobody was there is caught up once, however many ticks it was', async () => {
  const signal = aSignal({ name: 'missed', schedule: { cron: '0 * * * *', timezone: 'UTC' } });
  await scheduler([signal]).claim(signal, new Date(Date.now() - 5 * 3_600_000), 'schedule');
  await database.pool.query("update polls set state = 'done' where signal = 'missed'");
  await database.pool.query("delete from readback_queue.job where data ->> 'signal' = 'missed'");
  for (let start = 0; start < 2; start += 1) {
    const one = scheduler([signal]);
    await one.start();
    await one.stop();
  }
  assert.deepEqual(
    (await polls('missed')).map((poll) => poll.cause),
    ['schedule', 'catch_up'],
  );
});

test('the tick of a clock that was ahead does not hide that one was missed', async () => {
  const signal = aSignal({ name: 'ahead', schedule: { cron: '0 * * * *', timezone: 'UTC' } });
  for (const hours of [-5, 24])
    await scheduler([signal]).claim(signal, new Date(Date.now() + hours * 3_600_000), 'schedule');
  await database.pool.query("update polls set state = 'done' where signal = 'ahead'");
  const one = scheduler([signal]);
  await one.start();
  await one.stop();
  assert.deepEqual(
    (await polls('ahead')).map((poll) => poll.cause),
    ['schedule', 'catch_up', 'schedule'],
  );
});

test('a signal that was never polled is polled at once', async () => {
  const signal = aSignal({ name: 'fresh', schedule: { cron: '0 0 1 1 *', timezone: 'UTC' } });
  const one = scheduler([signal]);
  await one.start();
  await one.stop();
  assert.equal(await queued('fresh'), 1);
});

test('a paused signal skips its ticks with the reason', async () => {
  const signal = aSignal({ name: 'paused', schedule: { everyMs: 60_000 } });
  await database.pool.query(
    "insert into signals (name, version, shape, paused_at, paused_reason) values ('paused', 'v', 's', now(), 'audit')",
  );
  await scheduler([signal]).claim(signal, new Date(), 'schedule');
  const [poll] = await polls('paused');
  assert.equal(poll?.state, 'skipped');
  assert.match(poll?.reason ?? '', /audit/);
});

test('the previous tick is at or before now, and no tick lies between', () => {
  const crons = ['*/5 * * * *', '0 3 * * *', '30 2 * * 0', '15 0 1 * *', '*/10 * * * * *', '0 0 29 2 *'];
  const zones = ['UTC', 'Europe/Prague', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu'];
  fc.assert(
    fc.property(
      fc.constantFrom(...crons),
      fc.constantFrom(...zones),
      fc.date({ min: new Date('2016-01-01'), max: new Date('2034-12-31'), noInvalidDate: true }),
      (cron, timezone, now) => {
        const previous = previousTick({ cron, timezone }, now);
        assert.ok(previous <= now, `${previous.toISOString()} is after ${now.toISOString()}`);
        assert.deepEqual(
          previousTick({ cron, timezone }, previous),
          previous,
          'a tick is its own previous tick',
        );
        const almost = new Date(now.getTime() - 1);
        if (previous <= almost) assert.deepEqual(previousTick({ cron, timezone }, almost), previous);
      },
    ),
  );
});

test('an interval ticks at multiples of itself, the same on every machine', async () => {
  const ticks: Date[] = [];
  await new Promise<void>((resolve) => {
    const ticker = startTicker({ everyMs: 100 }, new Date(), {
      onTick: (at) => {
        ticks.push(at);
        if (ticks.length < 5) return;
        ticker.stop();
        resolve();
      },
    });
  });
  assert.ok(ticks.every((at) => at.getTime() % 100 === 0));
  assert.equal(new Set(ticks.map((at) => at.getTime())).size, 5);
});
