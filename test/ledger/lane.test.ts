import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lane } from '../../src/ledger/lane.ts';
import { freshDatabase } from '../helpers/postgres.ts';

const { pool } = await freshDatabase();

const take = (destination: string, holder: string) => Lane.take(pool, destination, 0, { holder, lagMs: 0 });

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
