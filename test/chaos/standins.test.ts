import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { start } from '../cli/readback.ts';
import { cleanup } from '../helpers/cleanup.ts';
import { freshDatabase } from '../helpers/postgres.ts';
import { duckdbFile } from '../helpers/warehouse.ts';
import { Asking, oneOfEach, type Running, running } from './asking.ts';

const files: Record<string, string> = {
  'readback.yml': `
project: standins
warehouses:
  analytics: { type: duckdb, path: ./warehouse.duckdb }
connections:
  desk: { connector: zendesk, subdomain: acme, email: agent@acme.example, api_token: env:TOKEN, base_url: env:KEYED, rate_limit: { requests: 100000, per: 1s } }
  crm: { connector: hubspot, access_token: env:TOKEN, base_url: env:UPSERT, rate_limit: { requests: 100000, per: 1s } }
  chat: { connector: slack, bot_token: env:TOKEN, base_url: env:MARKER, rate_limit: { requests: 100000, per: 1s } }
`,
  'signals/orders.sql': `/*
key: entity
on: [entered, changed, left]
backfill: all
*/
select entity, version, token from entities`,
  'destinations/ticket.yaml': `
connection: desk
action: create_ticket
signals: [orders]
on: [entered, changed]
fields:
  subject: "{{ entity }} v{{ version }} {{ token }}"
  body: "Order {{ entity }}"
  requester_email: "{{ entity }}@chaos.example"
  priority: high
  tags: "chaos,{{ entity }}"
`,
  'destinations/contact.yaml': `
connection: crm
action: upsert_contact
signals: [orders]
on: [entered, changed]
fields:
  email: "{{ entity }}@chaos.example"
  firstname: "{{ entity }} v{{ version }} {{ token }}"
`,
  'destinations/message.yaml': `
connection: chat
action: post_message
signals: [orders]
on: [entered, changed]
fields:
  channel: C0CHAOS01
  text: "{{ entity }} v{{ version }} {{ token }} & more"
`,
};

const count = 150;

test('the product, run against honest stand-ins, verifies exactly what they did', {
  timeout: 180_000,
}, async (t) => {
  const place = await running(1, oneOfEach);
  cleanup(t, () => place.stop());
  const warehouse = await duckdbFile();
  cleanup(t, () => warehouse.remove());
  const database = await freshDatabase();
  cleanup(t, () => database.drop());
  const root = dirname(warehouse.path);
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), text);
  }
  const { keyed = '', upsert = '', marker = '' } = place.standins.urls;
  const env = {
    TOKEN: 'x',
    KEYED: keyed,
    UPSERT: upsert,
    MARKER: marker,
    READBACK_DATABASE_URL: database.url,
  };
  const readback = (...args: string[]) => start(root, args, env).end();

  await warehouse.run(`
    create table entities as
    select 'e-' || lpad(i::text, 5, '0') as entity, 1 as version, 't-a' || i as token from range(${count}) as r (i)`);
  const doctor = await readback('doctor');
  assert.equal(doctor.code, 0, doctor.stdout + doctor.stderr);
  assert.equal((await readback('run')).code, 0);
  await warehouse.run(`update entities set version = 2, token = 't-b' || token[4:] where entity < 'e-00010'`);
  assert.equal((await readback('run')).code, 0);

  const report = await readback('report', '--output', 'json');
  const { totals } = JSON.parse(report.stdout) as { totals: Record<string, number> };
  const expected = 3 * (count + 10);
  assert.deepEqual([totals.detected, totals.verified], [expected, expected]);

  const truth = await place.truth();
  for (const desk of ['keyed', 'upsert', 'marker']) {
    const effects = truth.filter((line) => line.desk === desk && line.event === 'applied');
    const told = effects.map((one) => `${one.entity} v${one.version} ${one.token}`);
    assert.deepEqual(told.sort(), wanted(), desk);
    const honest = truth.filter((line) => line.desk === desk && line.event === 'answered');
    assert.ok(honest.every((line) => line.fault === null && Number(line.status) < 300));
  }
  assert.equal((await place.standins.records('upsert')).length, count);
});

function wanted(): string[] {
  const entity = (i: number) => `e-${String(i).padStart(5, '0')}`;
  const first = Array.from({ length: count }, (_, i) => `${entity(i)} v1 t-a${i}`);
  const second = Array.from({ length: 10 }, (_, i) => `${entity(i)} v2 t-b${i}`);
  return [...first, ...second].sort();
}

/** The fault of each of 200 requests, sent one after the other. */
async function faultsOf(place: Running, desk: string): Promise<unknown[]> {
  const asking = new Asking(place);
  for (let i = 0; i < 200; i++) await (await asking.write('plain', `e-${i}`, { desk })).text();
  const truth = await place.truth();
  return truth.filter((line) => line.desk === desk && line.event === 'answered').map((line) => line.fault);
}

test('the same seed makes the same faults, another seed or desk others', async (t) => {
  const faults = { share: 0.3, lateMaxMs: 1, slowMs: 1 };
  const desks = ['a', 'b'].map((name) => ({ name, kind: 'plain' as const, faults }));
  const told: unknown[][] = [];
  for (const seed of [5, 5, 6]) {
    const place = await running(seed, desks);
    cleanup(t, () => place.stop());
    told.push(await faultsOf(place, 'a'), await faultsOf(place, 'b'));
  }
  const [first, otherDesk, again, , otherSeed] = told;
  assert.deepEqual(again, first);
  assert.notDeepEqual(otherDesk, first);
  assert.notDeepEqual(otherSeed, first);
  const met = first?.filter((fault) => fault !== null).length ?? 0;
  assert.ok(met > 35 && met < 110, `${met} of 200`);
});

test('above the limit there is a 429 with the time to wait, and every request counts', async (t) => {
  const place = await running(1, [
    { name: 'plain', kind: 'plain', limit: { requests: 5, perMs: 60_000 } },
    { name: 'upsert', kind: 'upsert', alwaysThrottle: true },
    { name: 'half', kind: 'plain', accept: 0.5 },
  ]);
  cleanup(t, () => place.stop());
  const asking = new Asking(place);
  const answers: Response[] = [];
  for (let i = 0; i < 8; i++) answers.push(await asking.write('plain', `e-${i}`));
  assert.deepEqual(
    answers.map(({ status }) => status),
    [201, 201, 201, 201, 201, 429, 429, 429],
  );
  assert.match(answers.at(-1)?.headers.get('retry-after') ?? '', /^(59|60)$/);
  assert.equal((await asking.upsert(['e-1'])).status, 429);
  const halves: number[] = [];
  for (let i = 0; i < 60; i++) halves.push((await asking.write('plain', `e-${i}`, { desk: 'half' })).status);
  const accepted = halves.filter((status) => status === 201).length;
  assert.ok(accepted > 15 && accepted < 45, String(accepted));
  assert.ok(halves.every((status) => status === 201 || status === 503));

  const stats = await place.standins.stats();
  assert.deepEqual(stats.plain, { requests: 8, applied: 5, limited: 3, faults: {} });
  const limited = (await place.truth()).filter(({ event }) => event === 'limited');
  assert.deepEqual(
    limited.map(({ request }) => request),
    [6, 7, 8],
  );
  await place.standins.change('plain', { limit: null });
  assert.equal((await asking.write('plain', 'e-9')).status, 201);
});

test('a dead desk breaks connections until it lives again, and a misspelt fault is told', async (t) => {
  const place = await running(1, oneOfEach);
  cleanup(t, () => place.stop());
  const asking = new Asking(place);
  assert.equal((await asking.write('plain', 'e-1')).status, 201);
  await place.standins.change('plain', { dead: true });
  await assert.rejects(asking.write('plain', 'e-2'));
  await place.standins.change('plain', { dead: false });
  assert.equal((await asking.write('plain', 'e-3')).status, 201);
  assert.equal((await place.standins.stats()).plain?.requests, 2);
  const misspelt = { faults: { share: 1, kinds: ['eror_before'] } } as never;
  await assert.rejects(place.standins.change('plain', misspelt), /no fault eror_before/);
});
