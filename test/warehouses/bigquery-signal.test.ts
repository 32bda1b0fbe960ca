import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { runPoll } from '../../src/engine/polls.ts';
import type { Log } from '../../src/log.ts';
import { Openings } from '../../src/openings.ts';
import { Pipeline } from '../../src/pipeline.ts';
import { readback } from '../cli/readback.ts';
import { type Rig, rig } from '../helpers/project.ts';
import { BigQueryServer, isSubmission, serviceAccountKey } from './bigquery/server.ts';

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };
const tick = '2026-01-31T09:30:00Z';

let server: BigQueryServer;
let house: Rig;
before(async () => {
  server = await BigQueryServer.open();
  await server.engine.execute(
    `create table customers as select 'C-' || n as customer_id, 'c' || n || '@acme.example' as email
     from generate_series(1, 3) as s(n)`,
  );
  const files = {
    'key.json': JSON.stringify(serviceAccountKey),
    'readback.yml': `
project: rig
warehouses:
  analytics: { type: bigquery, project: acme, dataset: main, credentials: file:key.json, endpoint: '${server.url}' }
connections:
  crm: { connector: hubspot, access_token: env:HUBSPOT_ACCESS_TOKEN, base_url: env:HUBSPOT_BASE_URL, timeout: 2s }
`,
    'signals/customers.sql': `/*
key: customer_id
on: [entered, changed, left]
backfill: all
*/
select customer_id, email from customers`,
    'destinations/contact.yaml': `
connection: crm
action: upsert_contact
signals: [customers]
fields: { email: "{{ email }}" }
verify: { lag: 200ms }
`,
  };
  house = await rig(files, 'select 1');
});
after(async () => {
  await house.close();
  await server.close();
});

const jobsOfPoll = () => [...server.jobs.all.values()].map(({ request }) => request.configuration);

test('preview says what a read would scan, and runs under the signal’s name', async () => {
  const { code, stdout, stderr } = await readback(house.root, 'preview', 'customers', '--limit', '1');
  assert.equal(code, 0, stderr);
  assert.match(stderr, /reading customers once would scan 10\.5 MB/);
  assert.match(stdout, /email: c\d@acme\.example/);
  assert.ok(jobsOfPoll().length > 0);
  for (const { labels } of jobsOfPoll()) assert.equal(labels?.readback_for, 'customers');
});

test('a signal is polled, enriched and sent', async () => {
  const engine = await house.engine();
  const signal = house.project.signals.get('customers');
  assert.ok(signal);
  assert.equal((await engine.poll(signal)).entered, 3);
  assert.deepEqual(await house.settled('contact'), {
    'C-1': 'verified',
    'C-2': 'verified',
    'C-3': 'verified',
  });
  await server.engine.execute(`delete from customers where customer_id = 'C-2'`);
  assert.equal((await engine.poll(signal)).departed, 1);
});

test('a poll that a crash cut off goes on with its own jobs', async () => {
  const { pool } = house.database;
  const openings = new Openings(house.project, pool);
  const pipeline = new Pipeline(house.project, pool, openings, silent);
  const signal = house.project.signals.get('customers');
  assert.ok(signal);
  const request = {
    cause: 'schedule',
    scheduledFor: tick,
    only: [],
    signal: new AbortController().signal,
  } as const;
  const jobs = () => new Set([...server.jobs.all.keys()]);
  await runPoll(pipeline, pool, signal, request, silent);
  const known = jobs();
  // As it is found after a crash: begun and never finished.
  await pool.query(`update polls set state = 'running', finished_at = null where scheduled_for = $1`, [tick]);
  server.asked.length = 0;
  assert.equal((await runPoll(pipeline, pool, signal, request, silent)).state, 'done');
  assert.ok(server.asked.some(isSubmission), 'nothing was asked');
  assert.deepEqual(jobs(), known);
  await runPoll(pipeline, pool, signal, { ...request, scheduledFor: '2026-01-31T09:31:00Z' }, silent);
  assert.ok(jobs().size > known.size);
  await openings.close();
});
