import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { type Api, startApi } from '../../src/api/server.ts';
import { Secret } from '../../src/config/secret.ts';
import { buildReport, promisesOf } from '../../src/report/index.ts';
import { type Rig, rig } from '../helpers/project.ts';

const files = {
  'signals/churn.sql': `/*
key: id
when: score > 0.8
sla: 1h
backfill: all
*/
select id, email, score from customers`,
  'destinations/contact.yaml': `
connection: crm
action: upsert_contact
signals: [churn]
when: score < 0.95
fields: { email: "{{ email }}" }
verify: { lag: 300ms }
`,
};

const setup = `
create table customers as
select 'C "' || i || '"' as id, 'c' || i || '@acme.example' as email, 0.9 + i / 100 as score from range(10) as r (i)`;

let house: Rig;
let api: Api;
before(async () => {
  house = await rig(files, setup);
  const { project, database } = house;
  const engine = await house.engine();
  const churn = project.signals.get('churn') ?? assert.fail('no signal');
  assert.equal((await engine.poll(churn)).state, 'baseline');
  await house.settled('contact');
  const config = { host: '127.0.0.1', port: 0, token: new Secret('open-sesame') };
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  api = await startApi(config, { project, ledger: database.pool, log });
});
after(async () => {
  await api.close();
  await house.close();
});

const scrape = (token = 'open-sesame'): Promise<Response> =>
  fetch(`${api.url()}/metrics`, { headers: { authorization: `Bearer ${token}` } });

/** Samples by name and labels, as a scraper reads them. */
async function samples(): Promise<Map<string, number>> {
  const answer = await scrape();
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  const lines = (await answer.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.replace(/ \S+$/, ''), Number(line.split(' ').at(-1))]));
}

test('metrics say what the report says, and their states add up to what was detected', async () => {
  const told = await samples();
  const { pairs } = await buildReport(house.database.pool, promisesOf(house.project));
  const [pair] = pairs;
  assert.ok(pair && pair.verified > 0 && pair.suppressed > 0);
  const of = 'signal="churn",destination="contact"';
  assert.equal(told.get(`readback_detected{${of}}`), 10);
  assert.equal(told.get(`readback_actions{${of},state="verified"}`), pair.verified);
  assert.equal(told.get(`readback_actions{${of},state="suppressed"}`), pair.suppressed);
  const states = [...told].filter(([name]) => name.startsWith('readback_actions{'));
  assert.equal(
    states.reduce((sum, [, value]) => sum + value, 0),
    10,
  );
  assert.equal(told.get(`readback_sla_attainment_ratio{${of}}`), 1);
  assert.equal(
    told.get(`readback_time_to_action_seconds{${of},quantile="0.99"}`),
    (pair.time.total?.p99 ?? 0) / 1000,
  );
  assert.equal(told.get('readback_unaccounted_actions'), 0);
});

test('metrics say what the status says', async () => {
  const told = await samples();
  assert.equal(told.get('readback_signal_overdue{signal="churn"}'), 0);
  assert.ok((told.get('readback_poll_age_seconds{signal="churn"}') ?? -1) >= 0);
  for (const name of [
    'open_actions',
    'due_actions',
    'oldest_due_seconds',
    'destination_resting',
    'destination_stuck',
  ])
    assert.equal(told.get(`readback_${name}{destination="contact"}`), 0, name);
});

test('every metric is documented, and no other', async () => {
  const page = await readFile(new URL('../../docs/deployment.md', import.meta.url), 'utf8');
  const [, section = ''] = page.split('### Metrics');
  const documented = new Set(section.match(/(?<!\/)readback_\w+/g));
  const told = (await (await scrape()).text()).match(/(?<=^# TYPE )\w+/gm);
  assert.deepEqual([...(told ?? [])].sort(), [...documented].sort());
});

test('no metric names an entity, and nobody without the token sees any', async () => {
  assert.doesNotMatch(await (await scrape()).text(), /C "|acme/);
  assert.equal((await scrape('open-sesam')).status, 401);
});

test('who scrapes often does not have the ledger read as often', async () => {
  const before = await samples();
  await house.database.pool.query("update actions set state = 'differs' where state = 'verified'");
  assert.deepEqual(await samples(), before);
});
