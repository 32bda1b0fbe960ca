import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { Lane } from '../../src/ledger/lane.ts';
import { takeLane } from '../helpers/lane.ts';
import { freshDatabase } from '../helpers/postgres.ts';

const { pool } = await freshDatabase();

const take = (destination: string, holder: string) => takeLane(pool, destination, holder);

async function sending(destination: string, actions: number): Promise<void> {
  const { rows } = await pool.query(
    "insert into polls (signal, scheduled_for, cause) values ('churn', clock_timestamp(), 'manual') returning id",
  );
  await pool.query(
    `insert into actions (key, message, poll, signal, destination, entity, sequence, transition, lane, state, due_at,
       expires_at, detected_at)
     select gen_random_uuid(), gen_random_uuid(), $1, 'churn', $2, 'C-' || i, 1, 'entered', 0, 'sending', now(), now(), now()
     from generate_series(1, $3) i`,
    [rows[0].id, destination, actions],
  );
}

test('a lane that is free, or was let go, is not taken over', async () => {
  const first = await take('free', 'pid 1 on a');
  assert.equal(first.takeover, undefined);
  await first.letGo();
  assert.equal((await take('free', 'pid 2 on b')).takeover, undefined);
});

test('a lane whose worker died is taken over: from whom, since when, and what is now in doubt', async () => {
  await take('dead', 'pid 1 on a');
  await sending('dead', 3);
  const { takeover } = await take('dead', 'pid 2 on b');
  assert.equal(takeover?.from, 'pid 1 on a');
  assert.equal(takeover?.orphans, 3);
  assert.ok((takeover?.heldMs ?? -1) >= 0);
});

test('a worker that lost its lane cannot let it go for the one who has it now', async () => {
  const hung = await take('hung', 'pid 1 on a');
  await take('hung', 'pid 2 on b');
  await hung.letGo();
  assert.equal((await take('hung', 'pid 3 on c')).takeover?.from, 'pid 2 on b');
});

test('of several that take a lane at once, each learns whom it took it from', async () => {
  const names = Array.from({ length: 8 }, (_, at) => `pid ${at} on a`);
  const lanes = await Promise.all(names.map((name) => take('busy', name)));
  assert.deepEqual(
    lanes.map((lane) => lane.epoch).sort((one, other) => one - other),
    [1, 2, 3, 4, 5, 6, 7, 8],
  );
  const from = lanes.map((lane) => lane.takeover?.from).filter((one) => one !== undefined);
  assert.equal(new Set(from).size, 7);
});

test('what a turn left without an outcome is told, also when the lane was let go', async () => {
  const lane = await take('failed', 'pid 1 on a');
  await sending('failed', 1);
  await lane.letGo();
  const { takeover } = await take('failed', 'pid 2 on b');
  assert.deepEqual([takeover?.from, takeover?.orphans], [null, 1]);
});

test('what is being sent is not due: it is in the hand of who sends it, or in doubt for who takes the lane', async () => {
  const lane = await take('sends', 'pid 1 on a');
  await sending('sends', 1);
  assert.deepEqual(await lane.due(10), []);
  const next = await take('sends', 'pid 2 on b');
  assert.deepEqual(
    (await next.due(10)).map(({ state }) => state),
    ['unknown'],
  );
});

const alive = async (): Promise<string> => {
  const id = randomUUID();
  await pool.query(
    "insert into processes (id, role, host, pid, version) values ($1, 'worker', 'a', 1, '0')",
    [id],
  );
  return id;
};
const takeAs = (process: string, destination: string) =>
  Lane.take(pool, destination, 0, { holder: process, process, lagMs: 0 });

test('from another process that is alive no lane is taken; from one that missed its beats, or let go, it is', async () => {
  const [first, other] = [await alive(), await alive()];
  const held = await takeAs(first, 'kept');
  assert.equal(await takeAs(other, 'kept'), undefined);
  // Of its own turns the process knows itself.
  assert.equal((await takeAs(first, 'kept'))?.takeover?.from, first);
  await pool.query("update processes set seen_at = clock_timestamp() - interval '11 s' where id = $1", [
    first,
  ]);
  const taken = await takeAs(other, 'kept');
  assert.equal(taken?.takeover?.from, first);
  assert.ok((taken?.epoch ?? 0) > (held?.epoch ?? 0));
  await taken?.letGo();
  assert.notEqual(await takeAs(await alive(), 'kept'), undefined);
});

test('of several alive processes that take a free lane at once, one has it', async () => {
  const processes = await Promise.all(Array.from({ length: 8 }, () => alive()));
  // The first time there is no row of it.
  for (let time = 0; time < 3; time += 1) {
    await pool.query("update lanes set holder = null where destination = 'new'");
    const lanes = await Promise.all(processes.map((process) => takeAs(process, 'new')));
    assert.equal(lanes.filter((lane) => lane !== undefined).length, 1);
  }
});
