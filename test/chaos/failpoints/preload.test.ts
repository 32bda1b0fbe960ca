import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { emptyDatabase, type TestDatabase } from '../../helpers/postgres.ts';

const preload = fileURLToPath(new URL('./preload.mjs', import.meta.url));

/** Says and asks what the product would, once or as often as wanted, and prints each thing that worked. */
const program = `
import { request } from 'node:http';
import pg from 'pg';
const { DATABASE: connectionString, DESK: desk, TIMES: times } = process.env;
const pool = new pg.Pool({ connectionString, max: 1 });
const attempt = (what, work) => work().then(() => console.log(what), () => console.log('no ' + what));
const ask = (method, path) => new Promise((resolve, reject) => {
  request(desk + path, { method }, (response) => response.resume().once('end', resolve)).once('error', reject).end();
});
for (let time = 0; time < Number(times ?? 1); time += 1) {
  await attempt('intent', () => pool.query({ name: 'commit_intents_0123456789ab', text: 'insert into notes values ($1)', values: ['tickets'] }));
  const client = await pool.connect();
  const say = (name) => client.query({ name: name + '_0123456789ab', text: 'select $1::text', values: ['tickets_due'] });
  await say('start_poll');
  await client.query('begin');
  await say('find_moves');
  await client.query("insert into notes values ('poll')");
  await attempt('poll', () => client.query('commit'));
  await client.query('rollback');
  await say('finish_poll');
  client.release();
  await attempt('fetched', () => fetch(desk + '/orders', { method: 'POST', body: '{}' }));
  await attempt('asked', () => ask('GET', '/orders/1'));
}
await pool.end();
`;

let database: TestDatabase;
let server: Server;
let desk: string;
let folder: string;
const requests: string[] = [];

before(async () => {
  database = await emptyDatabase();
  await database.pool.query('create table notes (note text)');
  server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  desk = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  if (folder) await rm(folder, { recursive: true, force: true });
  folder = await mkdtemp(join(tmpdir(), 'readback-failpoints-'));
  await mkdir(join(folder, 'armed'));
  const classes = { plain: { names: ['tickets', 'tickets_due'], url: desk, write: 'POST /orders' } };
  await writeFile(join(folder, 'classes.json'), JSON.stringify(classes));
  await database.pool.query('truncate notes');
  requests.length = 0;
});

interface Run {
  child: ChildProcess;
  /** What worked so far. */
  lines: string[];
  ended: Promise<NodeJS.Signals | number | null>;
}

function start(env: Record<string, string> = { FAILPOINTS: folder }): Run {
  const child = spawn(process.execPath, ['--import', preload, '--input-type=module', '--eval', program], {
    env: { PATH: process.env.PATH, DATABASE: database.url, DESK: desk, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  child.stdout?.on('data', (text) => lines.push(...String(text).trim().split('\n')));
  return { child, lines, ended: once(child, 'close').then(([code, signal]) => signal ?? code) };
}

/** Runs the program with one cell armed. */
async function withCell(cell: string, pass = 1, times = 1): Promise<Run & { end: unknown }> {
  await writeFile(join(folder, 'armed', cell), String(pass));
  const run = start({ FAILPOINTS: folder, TIMES: String(times) });
  return { ...run, end: await run.ended };
}

async function notes(): Promise<string[]> {
  const { rows } = await database.pool.query<{ note: string }>('select note from notes order by 1');
  return rows.map((row) => row.note);
}

const everything = ['intent', 'poll', 'fetched', 'asked'];

test('without a folder nothing is changed', async () => {
  const run = start({});
  assert.equal(await run.ended, 0);
  assert.deepEqual(run.lines, everything);
});

test('each statement and request is a point of its class, before and after', async () => {
  const run = start();
  assert.equal(await run.ended, 0);
  assert.deepEqual(run.lines, everything);
  const passed = (await readFile(join(folder, 'passed.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { point: string; when: string; of: string });
  const poll = ['start_poll', 'begin_poll', 'find_moves', 'commit_poll', 'finish_poll'];
  const points = ['commit_intents', ...poll, 'http_write', 'http_read'];
  assert.deepEqual(
    passed.map(({ point, when, of }) => `${point} ${when} ${of}`),
    points.flatMap((point) => [`${point} before plain`, `${point} after plain`]),
  );
});

test('thrown before, nothing is done; thrown after, it is done and not known', async () => {
  const undone = await withCell('commit_intents-before-throw-plain');
  assert.deepEqual(undone.lines, ['no intent', 'poll', 'fetched', 'asked']);
  assert.deepEqual(await notes(), ['poll']);

  await database.pool.query('truncate notes');
  const done = await withCell('commit_intents-after-throw-plain');
  assert.deepEqual(done.lines, ['no intent', 'poll', 'fetched', 'asked']);
  assert.deepEqual(await notes(), ['poll', 'tickets']);
});

test('a commit is a point too', async () => {
  await withCell('commit_poll-before-throw-plain');
  assert.deepEqual(await notes(), ['tickets']);
  await database.pool.query('truncate notes');
  await withCell('commit_poll-after-throw-plain');
  assert.deepEqual(await notes(), ['poll', 'tickets']);
});

test('a request fails before it is made, or after it was answered, by fetch and by node:http', async () => {
  const unasked = await withCell('http_write-before-throw-plain');
  assert.deepEqual(unasked.lines, ['intent', 'poll', 'no fetched', 'asked']);
  assert.deepEqual(requests, ['GET /orders/1']);
  requests.length = 0;
  await withCell('http_write-after-throw-plain');
  assert.deepEqual(requests, ['POST /orders', 'GET /orders/1']);
  requests.length = 0;
  const unread = await withCell('http_read-before-throw-plain');
  assert.deepEqual(unread.lines, ['intent', 'poll', 'fetched', 'no asked']);
  assert.deepEqual(requests, ['POST /orders']);
  requests.length = 0;
  const lost = await withCell('http_read-after-throw-plain');
  assert.deepEqual(lost.lines, ['intent', 'poll', 'fetched', 'no asked']);
  assert.deepEqual(requests, ['POST /orders', 'GET /orders/1']);
});

test('killed before, nothing is done; killed after, it is done', async () => {
  const before = await withCell('commit_intents-before-kill-plain');
  assert.equal(before.end, 'SIGKILL');
  assert.deepEqual(await notes(), []);
  const after = await withCell('http_write-after-kill-plain');
  assert.equal(after.end, 'SIGKILL');
  assert.deepEqual(after.lines, ['intent', 'poll']);
  assert.deepEqual(requests, ['POST /orders']);
});

test('it waits for the pass that it was told, and a cell is hit once', async () => {
  const run = await withCell('http_write-before-throw-plain', 2, 3);
  const fetched = run.lines.filter((line) => line.endsWith('fetched'));
  assert.deepEqual(fetched, ['fetched', 'no fetched', 'fetched']);
  assert.deepEqual(await readdir(join(folder, 'armed')), []);
  const hits = (await readFile(join(folder, 'hits.jsonl'), 'utf8')).trim().split('\n');
  assert.equal(hits.length, 1);
  assert.equal(JSON.parse(hits[0] ?? '').cell, 'http_write-before-throw-plain');
});

const linux = process.platform === 'linux';

test('stopped, it does nothing until it is continued', { skip: !linux }, async () => {
  await writeFile(join(folder, 'armed', 'http_write-before-stop-plain'), '1');
  const run = start();
  const { pid = 0 } = run.child;
  const isStopped = async () => (await readFile(`/proc/${pid}/stat`, 'utf8')).includes(') T ');
  while (!(await isStopped())) await sleep(20);
  assert.deepEqual(requests, []);
  run.child.kill('SIGCONT');
  assert.equal(await run.ended, 0);
  assert.deepEqual(run.lines, everything);
  assert.deepEqual(requests, ['POST /orders', 'GET /orders/1']);
});
