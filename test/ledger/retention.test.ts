import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { Project } from '../../src/config/model.ts';
import { prune } from '../../src/ledger/retention.ts';
import { checkBalance } from '../../src/report/balance.ts';
import { buildReport } from '../../src/report/report.ts';
import { transaction } from '../../src/store/database.ts';
import { queries } from '../../src/store/queries.ts';
import { freshDatabase } from '../helpers/postgres.ts';
import { aProject } from '../helpers/project.ts';
import { aDestination, aSignal } from '../helpers/signal.ts';
import { at, clear, hour, type SeedAction, seed, start } from '../report/seed.ts';

const { pool } = await freshDatabase();

/** Old is what polls up to the fifth hour found and was done by then. */
const cut = 5.5 * hour;

function project(change: Partial<Project> = {}): Project {
  const retentionMs = Date.now() - start.getTime() - cut;
  return { ...aProject([aSignal({ name: 'churn', retentionMs })]), retentionMs, ...change };
}

const done = (poll: number, change: Partial<SeedAction> = {}): SeedAction => ({
  signal: 'churn',
  destination: 'crm',
  state: 'verified',
  poll,
  sent: 1,
  attempts: [
    { kind: 'write', outcome: 'applied' },
    { kind: 'read', outcome: 'found' },
  ],
  ...change,
});

async function given(actions: readonly SeedAction[], present: readonly string[] = []): Promise<void> {
  await seed(pool, actions);
  await pool.query(`
    insert into signals (name, version, shape) select distinct signal, 'v1', '' from messages on conflict do nothing`);
  await pool.query(
    `insert into entities (signal, entity, bucket, present, fingerprint, sequence)
     select signal, entity, 0, entity = any($1), '', max(sequence) from messages group by signal, entity`,
    [present],
  );
}

async function count(table: string): Promise<number> {
  const { rows } = await pool.query(`select count(*) as count from ${table}`);
  return rows[0].count;
}

async function entitiesLeft(): Promise<string[]> {
  const { rows } = await pool.query('select entity from actions order by sequence');
  return rows.map((row) => row.entity);
}

const counts = async (since?: Date) => {
  const { totals } = await buildReport(pool, { slas: new Map(), since });
  const { detected, verified, failed, suppressed, in_flight, unaccounted } = totals;
  return { detected, verified, failed, suppressed, in_flight, unaccounted };
};

beforeEach(() => clear(pool));

test('what was done long ago goes, with all that belongs to it, and stays in balance and report', async () => {
  await given([done(1), done(2, { state: 'dead' }), done(3, { state: 'suppressed', attempts: [] }), done(8)]);
  const before = await counts();
  const pruned = await prune(pool, project(), { preview: false });
  assert.deepEqual(pruned, { messages: 3, actions: 3, attempts: 4, polls: 3, entities: 3 });
  assert.deepEqual(await counts(), before);
  assert.deepEqual(await checkBalance(pool), []);
  for (const [table, left] of Object.entries({
    actions: 1,
    messages: 1,
    attempts: 2,
    polls: 1,
    detections: 1,
  }))
    assert.equal(await count(table), left, table);
});

test('an attempt that several actions share goes with the last of them', async () => {
  await given([done(1, { attempts: [] }), done(2, { attempts: [] }), done(8, { attempts: [] })]);
  await pool.query(
    "insert into attempts (id, actions, kind, outcome, decision) values (-1, 2, 'write', 'intent', 'send'), (-2, 3, 'read', 'found', 'done')",
  );
  await pool.query(
    "update actions set attempt_ids = case when entity = 'E2' then '{-2}' else '{-1,-2}' end::bigint[]",
  );
  const pruned = await prune(pool, project(), { preview: false });
  assert.deepEqual([pruned.actions, pruned.attempts], [2, 4]);
  const { rows } = await pool.query('select id, actions from attempts');
  assert.deepEqual(rows, [{ id: -2, actions: 1 }]);
  assert.deepEqual(await checkBalance(pool), []);
});

test('a period of the report counts the days of what was pruned that lie in it', async () => {
  await given([done(1), done(2), done(30), done(31)]);
  const all = { ...project(), retentionMs: 1 };
  await prune(pool, { ...all, signals: new Map() }, { preview: false });
  assert.equal((await counts()).verified, 4);
  const second = await counts(at(24 * hour));
  assert.deepEqual([second.detected, second.verified, second.unaccounted], [2, 2, 0]);
});

test('a preview counts what would go and changes nothing', async () => {
  await given([done(1), done(2), done(8)]);
  const pruned = await prune(pool, project(), { preview: true });
  assert.deepEqual(pruned, { messages: 2, actions: 2, attempts: 4, polls: 0, entities: 0 });
  assert.equal(await count('actions'), 3);
  assert.equal(await count('pruned_actions'), 0);
});

test('what is open, or was done a short while ago, stays however long ago it was detected', async () => {
  await given([
    done(1, { state: 'planned', attempts: [], entity: 'open' }),
    done(1, { state: 'held', attempts: [], entity: 'held' }),
    done(1, { settled: 10 * hour, entity: 'retried' }),
    done(1, { entity: 'old' }),
  ]);
  await prune(pool, project(), { preview: false });
  assert.deepEqual(await entitiesLeft(), ['open', 'held', 'retried']);
});

test('a newer action stays while an older one of its entity could still be sent', async () => {
  await given([
    done(1, { entity: 'E', state: 'dead', settled: 10 * hour }),
    done(2, { entity: 'E' }),
    done(2, { entity: 'F' }),
  ]);
  await prune(pool, project(), { preview: false });
  assert.deepEqual(await entitiesLeft(), ['E', 'E']);
});

test('the record that others follow stays while its entity is there', async () => {
  const follower = aDestination({ name: 'task', follows: 'crm' });
  const following = project({ destinations: new Map([['task', follower]]) });
  await given(
    [done(1, { entity: 'here' }), done(2, { entity: 'here' }), done(1, { entity: 'gone' })],
    ['here'],
  );
  await pool.query("update actions set external_id = 'x'");
  await prune(pool, following, { preview: false });
  const { rows } = await pool.query('select entity, sequence from actions');
  assert.deepEqual(rows, [{ entity: 'here', sequence: 2 }]);
  await pool.query('update entities set present = false');
  await prune(pool, following, { preview: false });
  assert.deepEqual(await entitiesLeft(), []);
});

test('whoever was forgotten comes back with a number that was never used', async () => {
  await given([done(1, { entity: 'A' }), done(2, { entity: 'B' }), done(8, { entity: 'C' })], ['B']);
  await pool.query("update entities set sequence = 7 where entity = 'A'");
  const { entities } = await prune(pool, project(), { preview: false });
  assert.equal(entities, 1, 'B is there, and something of C is left');
  const { rows } = await pool.query("select forgotten_sequence from signals where name = 'churn'");
  assert.equal(rows[0].forgotten_sequence, 7);
  await transaction(pool, async (client) => {
    const detect = queries('detect');
    await detect.run(client, 'create_moves');
    await client.query(
      "insert into moves (entity, bucket, transition, fingerprint) values ('A', 0, 'entered', '')",
    );
    await client.query(
      "insert into moves (entity, bucket, transition, fingerprint) values ('B', 0, 'left', '')",
    );
    await detect.run(client, 'apply_moves', { signal: 'churn', silent: false, only: [] });
  });
  const numbered = await pool.query(
    "select entity, sequence from entities where entity in ('A', 'B') order by entity",
  );
  assert.deepEqual(numbered.rows, [
    { entity: 'A', sequence: 8 },
    { entity: 'B', sequence: 3 },
  ]);
});

test('an entity is not forgotten before its cooldown is over', async () => {
  const retentionMs = Date.now() - start.getTime() - cut;
  const cooling = aSignal({ name: 'churn', retentionMs, cooldownMs: 3650 * 24 * hour });
  await given([done(1)]);
  await pool.query('update entities set fired_at = $1', [start]);
  const pruned = await prune(pool, project({ signals: new Map([['churn', cooling]]) }), { preview: false });
  assert.deepEqual([pruned.actions, pruned.entities], [1, 0]);
});

test('the newest scheduled poll stays, and with it when the signal was last looked at', async () => {
  await pool.query(`
    insert into signals (name, version, shape) values ('churn', 'v1', '');
    insert into polls (signal, scheduled_for, cause, state)
    select 'churn', '2026-03-01T00:00:00Z'::timestamptz + n * interval '1 minute', 'schedule', 'done'
    from generate_series(1, 5) as n`);
  const { polls } = await prune(pool, project(), { preview: false });
  assert.equal(polls, 4);
  const { rows } = await pool.query('select scheduled_for from polls');
  assert.deepEqual(rows, [{ scheduled_for: at(5 * 60_000) }]);
});

test('while many steps prune, every look at the ledger finds it in balance', async () => {
  await given(Array.from({ length: 5_000 }, (_, index) => done(index % 5, { entity: `E${index}` })));
  const before = await counts();
  let pruning = true;
  const ended = prune(pool, project(), { preview: false }).finally(() => {
    pruning = false;
  });
  let looks = 0;
  for (; pruning; looks += 1) {
    assert.deepEqual(await counts(), before);
    const { rows } = await pool.query('select detected::integer, unaccounted::integer from balance');
    assert.deepEqual(rows, [{ detected: 5_000, unaccounted: 0 }]);
  }
  assert.ok(looks > 0);
  assert.equal((await ended).actions, 5_000);
  assert.equal(await count('polls'), 1, 'the newest is kept');
  assert.deepEqual(await checkBalance(pool), []);
});

test('two processes that prune at once count nothing twice', async () => {
  await given(Array.from({ length: 4_500 }, (_, index) => done(index % 5, { entity: `E${index}` })));
  const both = await Promise.all([1, 2].map(() => prune(pool, project(), { preview: false })));
  assert.equal(
    both.reduce((sum, one) => sum + one.actions, 0),
    4_500,
  );
  assert.deepEqual(await checkBalance(pool), []);
});
