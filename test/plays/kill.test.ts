import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { settle } from '../../src/engine/settle.ts';
import { churnSignal } from '../helpers/churn.ts';
import { type Rig, rig } from '../helpers/project.ts';
import { until } from '../helpers/until.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const preload = new URL('../chaos/failpoints/preload.mjs', import.meta.url).href;

// The lanes of a killed worker rest for up to 15 s, until the queue believes it dead: the more there are, the more go on.
const step = (lines: string) => `signals: [churn]\nlanes: 12\nverify: { lag: 200ms }\n${lines}\n`;
const files = {
  'signals/churn.sql': churnSignal,
  'destinations/ticket.yaml': step(`connection: support
action: create_ticket
fields: { subject: "Call {{ name }}", body: "Score {{ score }}" }`),
  'destinations/alert.yaml': step(`connection: team
action: post_message
after: ticket
fields: { channel: C0ALERTS, text: "{{ name }} has ticket {{ results.ticket.id }}" }`),
  'destinations/task.yaml': step(`connection: crm
action: create_task
options: { key_property: readback_key }
after: alert
on_failure: compensate
fields: { subject: "Task for {{ name }} in {{ results.alert.id }}" }`),
  'destinations/last.yaml': step(`connection: team
action: post_message
after: task
fields: { channel: C0LAST, text: "All done for {{ name }}" }`),
};

/** Where a worker is killed: point, before or after, which step. The classes are those of `classes.json` below. */
const between = [
  'http_write-after-kill-ticket',
  'record-after-kill-ticket',
  'record-after-kill-alert',
  'commit_undo-before-kill-task',
  'commit_undo-after-kill-task',
  'http_write-after-kill-undo',
  'record-after-kill-undo',
];
/** Much the same, or what any action has; READBACK_TEST_KILLS=all tries them too. */
const within = [
  'steps-after-kill-alert',
  'call_off-before-kill-task',
  'commit_intents-after-kill-undo',
  'commit_intents-after-kill-ticket',
  'record-before-kill-ticket',
  'commit_intents-before-kill-alert',
  'http_write-before-kill-undo',
  'record-before-kill-undo',
];
const cells = process.env.READBACK_TEST_KILLS === 'all' ? [...between, ...within] : between;

/** Each kill costs the killed worker's lanes up to 15 s. */
const hitMs = 150_000;
const customers = 24;
let house: Rig;
let folder: string;
const children = new Set<ChildProcess>();
let ending = false;

before(async () => {
  // Every other customer's task is refused, so that the play is undone.
  house = await rig(
    files,
    `create table customers as select 'C-' || i as customer_id,
       case when i % 2 = 0 then 'Good ' else 'Refused ' end || i || '.' as name, 0.1 as score from range(${customers}) r (i)`,
  );
  folder = await mkdtemp(join(tmpdir(), 'readback-plays-'));
  await mkdir(join(folder, 'armed'));
  const support = house.sandboxes.get('zendesk')?.url ?? '';
  const classes = {
    undo: { names: ['ticket.undo'], url: `${support}/api/v2/tickets`, write: 'PUT ' },
    ticket: { names: ['ticket'], url: support, write: 'POST /api/v2/tickets' },
    alert: { names: ['alert'], url: 'none', write: 'none' },
    task: { names: ['task'], url: 'none', write: 'none' },
  };
  await writeFile(join(folder, 'classes.json'), JSON.stringify(classes));
  house.sandboxes.get('hubspot')?.inject({ kind: 'reject_item', times: 100_000, match: 'Task for Refused' });
});
after(async () => {
  ending = true;
  for (const child of children) child.kill('SIGKILL');
  await house.close();
  await rm(folder, { recursive: true, force: true });
});

/** `readback start` as a user would run it; started again whenever it is killed. */
function keepRunning(kills: { count: number }): void {
  const env = { ...process.env, ...house.env, NODE_OPTIONS: `--import=${preload}`, FAILPOINTS: folder };
  const command = ['--import', 'tsx', main, '--project', house.root, 'start'];
  const child = spawn(process.execPath, command, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  children.add(child);
  child.once('exit', (_code, signal) => {
    children.delete(child);
    if (ending || signal !== 'SIGKILL') return;
    kills.count += 1;
    keepRunning(kills);
  });
}

async function rows<Row>(sql: string): Promise<Row[]> {
  return (await house.database.pool.query(sql)).rows as Row[];
}

test('killed at each point between its steps, a play loses nothing, doubles nothing and keeps its order', async () => {
  const kills = { count: 0 };
  keepRunning(kills);
  keepRunning(kills);
  await until(
    'the baseline is recorded',
    async () => (await rows('select from signals where baselined_at is not null')).length === 1,
  );
  for (const cell of cells) await writeFile(join(folder, 'armed', cell), '1');
  await house.warehouse.run('update customers set score = 0.9');
  await until('every point is hit', async () => (await readdir(join(folder, 'armed'))).length === 0, hitMs);
  const open = await settle(house.database.pool, { signals: ['churn'], waitMs: 120_000 });
  assert.deepEqual(open, [], 'something is still open');
  assert.equal(kills.count, cells.length);
});

test('the ledger: each play is whole, or undone as a whole, once', async () => {
  const ends = await rows<{ destination: string; state: string; good: boolean; actions: number }>(
    `select destination, state::text, substr(entity, 3)::int % 2 = 0 as good, count(*)::int as actions
     from actions group by 1, 2, 3 order by 3, 1`,
  );
  const half = customers / 2;
  assert.deepEqual(
    ends.map(
      ({ destination, state, good, actions }) =>
        `${good ? 'good' : 'refused'} ${destination} ${state} ${actions}`,
    ),
    [
      `refused alert verified ${half}`,
      `refused alert.undo verified ${half}`,
      `refused last suppressed ${half}`,
      `refused task rejected ${half}`,
      `refused ticket verified ${half}`,
      `refused ticket.undo verified ${half}`,
      `good alert verified ${half}`,
      `good last verified ${half}`,
      `good task verified ${half}`,
      `good ticket verified ${half}`,
    ],
  );
  assert.deepEqual(await rows('select * from balance where unaccounted <> 0'), []);
});

test('the ledger: no step was begun before the one that it comes after had ended', async () => {
  const early = await rows(
    `select later.destination, later.entity
     from actions as later
     join (values
       ('alert', 'ticket'), ('task', 'alert'), ('last', 'task'), ('ticket.undo', 'alert.undo'), ('alert.undo', 'alert')
     ) as pair (later, earlier) on pair.later = later.destination
     join actions as earlier on earlier.destination = pair.earlier and earlier.message = later.message
     join attempts on attempts.id = any(later.attempt_ids) and attempts.outcome = 'intent'
     where earlier.settled_at is null or attempts.at < earlier.settled_at`,
  );
  assert.deepEqual(early, []);
});

test('the destinations: one record for each step, and each undoing done once', () => {
  const ofEach = (connector: string, count: number, text: (fields: Record<string, unknown>) => unknown) => {
    const records = house.sandboxes.get(connector)?.records() ?? [];
    const names = records.flatMap(
      (one) => /(?:Good|Refused) \d+\./.exec(String(text(one.fields)))?.[0] ?? [],
    );
    assert.equal(names.length, count, connector);
    assert.equal(new Set(names).size, count, `${connector} holds duplicates`);
    return records;
  };
  const tickets = ofEach('zendesk', customers, (fields) => fields.subject);
  for (const { fields, writes } of tickets) {
    const undone = String(fields.subject).includes('Refused');
    assert.deepEqual([fields.status === 'solved', writes], [undone, undone ? 2 : 1], String(fields.subject));
  }
  ofEach('hubspot', customers / 2, (fields) => fields.hs_task_subject);
  const messages = house.sandboxes.get('slack')?.records() ?? [];
  const alerts = messages.filter(({ fields }) => fields.channel === 'C0ALERTS');
  const withdrawn = alerts.filter(({ fields }) => String(fields.text).startsWith('_Withdrawn'));
  assert.deepEqual(
    [messages.length, alerts.length, withdrawn.length],
    [customers * 1.5, customers, customers / 2],
  );
  for (const { fields } of alerts) {
    const [, name, ticket] = /^(Good \d+\.) has ticket (\d+)$/.exec(String(fields.text)) ?? [];
    if (name === undefined) continue;
    assert.equal(tickets.find(({ id }) => id === ticket)?.fields.subject, `Call ${name}`);
  }
});
