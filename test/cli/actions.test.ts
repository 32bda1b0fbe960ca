import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { freshDatabase } from '../helpers/postgres.ts';
import { type Answer, emptyFolder, start } from './readback.ts';

const database = await freshDatabase();
const { folder, remove } = await emptyFolder();
after(remove);

const total = 25_000;

before(async () => {
  await writeFile(join(folder, 'readback.yml'), 'project: empty\n');
  const { rows } = await database.pool.query(
    "insert into polls (signal, scheduled_for, cause) values ('churn', now(), 'manual') returning id",
  );
  await database.pool.query(
    `insert into actions (key, message, poll, signal, destination, entity, sequence, transition, lane, state, reason,
       settled_at, expires_at, detected_at, external_id)
     select md5(i::text)::uuid, gen_random_uuid(), $1, 'churn', case i % 2 when 0 then 'crm' else 'team' end, 'C-' || i, i,
       'entered', 0, case when i % 1000 = 0 then 'rejected' else 'verified' end::action_state, 'said "no", twice', now(),
       now(), '2026-01-31T09:00:00Z'::timestamptz + make_interval(secs => i), 'T-' || i
     from generate_series(1, ${total}) i`,
    [rows[0].id],
  );
});

function actions(...args: string[]): Promise<Answer> {
  return start(folder, ['actions', ...args], { READBACK_DATABASE_URL: database.url }).end();
}

test('json is one array of every action, newest first, with all that other programs need', async () => {
  const { code, stdout, stderr } = await actions('--output', 'json');
  assert.equal(code, 0, stderr);
  const listed = JSON.parse(stdout) as Record<string, unknown>[];
  assert.equal(listed.length, total);
  assert.equal(new Set(listed.map(({ key }) => key)).size, total);
  const { key, ...newest } = listed[0] as Record<string, unknown>;
  assert.match(String(key), /^[0-9a-f-]{36}$/);
  assert.deepEqual(newest, {
    signal: 'churn',
    destination: 'crm',
    entity: `C-${total}`,
    sequence: total,
    transition: 'entered',
    state: 'rejected',
    reason: 'said "no", twice',
    attempts: 0,
    external_id: `T-${total}`,
    detected_at: new Date(Date.parse('2026-01-31T09:00:00Z') + total * 1000).toISOString(),
    sent_at: null,
    accepted_at: null,
    settled_at: newest.settled_at,
  });
});

test('csv has the same columns, and a line for each action', async () => {
  const { stdout } = await actions('--output', 'csv');
  const lines = stdout.trimEnd().split('\n');
  assert.equal(lines.length, total + 1);
  assert.equal(
    lines[0],
    'key,signal,destination,entity,sequence,transition,state,reason,attempts,external_id,detected_at,sent_at,accepted_at,settled_at',
  );
  assert.match(lines[1] ?? '', /,rejected,"said ""no"", twice",0,T-25000,/);
});

test('a table shows the newest 100 and says that there are more', async () => {
  const { stdout, stderr } = await actions();
  assert.equal(stdout.trimEnd().split('\n').length, 101);
  assert.match(stderr, /^the newest 100 actions; there are more: --limit/);
});

test('states, entities, time and number choose', async () => {
  const some = async (...args: string[]) =>
    (JSON.parse((await actions('--output', 'json', ...args)).stdout) as { entity: string }[]).map(
      ({ entity }) => entity,
    );
  assert.equal((await some('--state', 'rejected,dead')).length, total / 1000);
  assert.deepEqual(await some('--entity', 'C-7,C-9'), ['C-9', 'C-7']);
  assert.deepEqual(await some('--limit', '2'), ['C-25000', 'C-24999']);
  assert.equal((await some('--since', '2026-01-31T15:00:00Z')).length, total - 6 * 3600 + 1);
  assert.deepEqual(await some('--entity', 'C-none'), []);
});

test('a wrong state is told with what was meant', async () => {
  const { code, stderr } = await actions('--state', 'verifed');
  assert.equal(code, 2);
  assert.match(stderr, /^USAGE: --state names no state .*verifed.*\n {2}→ did you mean verified\?/);
});
