import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type pg from 'pg';
import { openPool } from '../../src/store/database.ts';
import { type Embedded, startEmbedded } from '../../src/store/embedded/index.ts';
import { churnSignal, churnTable, churnTicket } from '../helpers/churn.ts';
import { fastFolder, quiet } from '../helpers/postgres.ts';
import { compiledMain } from '../helpers/product.ts';
import { type Rig, rig } from '../helpers/project.ts';

// Two hosts, each a network namespace with a name of its own, and the ledger on a third: what a cut cable does. Needs root
// and a minute, so only when asked for: READBACK_TEST_HOSTS=1 node scripts/test.mjs test/engine/hosts.test.ts
const wanted = process.env.READBACK_TEST_HOSTS === '1';

const bridge = 'rb-bridge';
const here = '10.99.0.1';
const hosts = { 'host-a': '10.99.0.2', 'host-b': '10.99.0.3' } as const;
type Host = keyof typeof hosts;
const cable = (host: Host) => `rb-${host}`;

const files = {
  'signals/churn.sql': churnSignal,
  'destinations/ticket.yaml': `${churnTicket}lanes: 4
`,
};

interface Line {
  msg: string;
  [field: string]: unknown;
}

let house: Rig;
let server: Embedded;
let ledger: pg.Pool;
let dataDir = '';
let vendor: Server;
let environment: Record<string, string> = {};
const services = new Map<Host, { child: ChildProcess; lines: Line[] }>();

function ip(...words: string[]): void {
  execFileSync('ip', words);
}

function layCables(): void {
  ip('link', 'add', bridge, 'type', 'bridge');
  ip('addr', 'add', `${here}/24`, 'dev', bridge);
  ip('link', 'set', bridge, 'up');
  for (const [host, address] of Object.entries(hosts) as [Host, string][]) {
    ip('netns', 'add', host);
    ip('link', 'add', cable(host), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', host);
    ip('link', 'set', cable(host), 'master', bridge, 'up');
    for (const device of ['lo', 'eth0']) ip('-n', host, 'link', 'set', device, 'up');
    ip('-n', host, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
  }
}

function removeCables(): void {
  for (const host of Object.keys(hosts)) spawnSync('ip', ['netns', 'delete', host]);
  spawnSync('ip', ['link', 'delete', bridge]);
}

/** No packet passes any more, and nobody is told: neither an end nor a reset of any connection. */
const cut = (host: Host) => ip('link', 'set', cable(host), 'nomaster');
const mend = (host: Host) => ip('link', 'set', cable(host), 'master', bridge);

/** The ledger's server, reachable from the hosts. */
async function startServer(): Promise<void> {
  dataDir = await mkdtemp(join(await fastFolder(), 'readback-hosts-'));
  server = await startEmbedded({ dataDir, log: quiet, settings: { listen_addresses: '*' } });
  await appendFile(join(dataDir, 'data/pg_hba.conf'), '\nhost all all 10.99.0.0/24 scram-sha-256\n');
  ledger = openPool(server.url, { log: quiet });
  await ledger.query('select pg_reload_conf()');
}

/** The sandbox listens on loopback; this hands on what the hosts send. */
async function reachVendor(url: string): Promise<string> {
  const port = Number(new URL(url).port);
  vendor = createServer((socket) => {
    const onward = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      from.on('error', () => to.destroy());
      from.pipe(to);
    }
  });
  vendor.listen(0, here);
  await once(vendor, 'listening');
  return url.replace(/127\.0\.0\.1:\d+/, `${here}:${(vendor.address() as { port: number }).port}`);
}

function start(host: Host): void {
  const command = [process.execPath, compiledMain, '--project', house.root, 'start'];
  const named = ['unshare', '--uts', 'sh', '-c', `hostname ${host} && exec "$@"`, 'sh', ...command];
  const child = spawn('ip', ['netns', 'exec', host, ...named], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const lines: Line[] = [];
  let rest = '';
  child.stderr?.on('data', (chunk) => {
    const parts = `${rest}${chunk}`.split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) if (part.startsWith('{')) lines.push(JSON.parse(part));
  });
  services.set(host, { child, lines });
}

async function count(condition: string): Promise<number> {
  return (await ledger.query(`select count(*) as found from ${condition}`)).rows[0].found;
}

async function until(what: string, fact: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!(await fact())) {
    if (Date.now() > deadline) assert.fail(`never: ${what}\n${await sessions()}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** For a failure: what the sessions at the ledger wait for. */
async function sessions(): Promise<string> {
  const { rows } = await ledger.query(
    `select client_addr, pid, pg_blocking_pids(pid) as blocked_by, state, wait_event, left(query, 80) as query,
       extract(epoch from clock_timestamp() - state_change)::int as seconds
     from pg_stat_activity where client_addr is not null order by client_addr, state`,
  );
  return rows.map((row) => JSON.stringify(row)).join('\n');
}

function said(host: Host, message: string): Line[] {
  return services.get(host)?.lines.filter(({ msg }) => msg === message) ?? [];
}

function tickets(): string[] {
  const records = house.sandboxes.get('zendesk')?.records() ?? [];
  return records.filter(({ type }) => type === 'tickets').map(({ fields }) => String(fields.subject));
}

describe('two hosts and one ledger', { skip: !wanted }, () => {
  before(async () => {
    removeCables();
    layCables();
    house = await rig(files, churnTable(3000));
    await startServer();
    const zendesk = await reachVendor(house.env.ZENDESK_BASE_URL ?? '');
    const url = server.url.replace('127.0.0.1', here);
    environment = { ...house.env, ZENDESK_BASE_URL: zendesk, READBACK_DATABASE_URL: url };
    for (const host of Object.keys(hosts) as Host[]) start(host);
    await until('the baseline is there', async () =>
      (await ledger.query("select to_regclass('readback.signals') is not null as made")).rows[0].made
        ? (await count('signals where baselined_at is not null')) === 1
        : false,
    );
  });
  after(async () => {
    for (const { child } of services.values()) child.kill('SIGKILL');
    removeCables();
    vendor?.close();
    await ledger?.end();
    await server?.release();
    await house?.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  test('both are at work, each under its own name', async () => {
    await until('both are there', async () => (await count('processes')) === 2);
    const { rows } = await ledger.query('select host from processes order by host');
    assert.deepEqual(
      rows.map(({ host }) => host),
      ['host-a', 'host-b'],
    );
  });

  test('one that is cut off in the middle of its work is succeeded by the other, and nothing is doubled', async (t) => {
    await house.warehouse.run('update customers set score = 0.9');
    await until('host-a writes', () => said('host-a', 'written').length > 20);
    cut('host-a');
    const cutAt = Date.now();
    const polled = said('host-b', 'polled').length;
    await until('host-b polls', () => said('host-b', 'polled').length > polled);
    t.diagnostic(`host-b polled ${Date.now() - cutAt} ms after the cut`);
    await until('host-b takes the lanes over', () => said('host-b', 'lane taken over').length > 0);
    t.diagnostic(`host-b took the first lane over ${Date.now() - cutAt} ms after the cut`);
    for (const { from } of said('host-b', 'lane taken over'))
      assert.match(String(from), /^pid \d+ on host-a$/);
    await until('all are settled', async () => (await count('actions where settled_at is null')) === 0);
    t.diagnostic(`all settled ${Date.now() - cutAt} ms after the cut`);
    assert.equal(await count("actions where state = 'verified'"), 3000);
    assert.equal(new Set(tickets()).size, 3000);
    assert.equal(tickets().length, 3000);
  });

  test('when it comes back it is at work again, and what it had begun changes nothing', async () => {
    await until(
      'host-a is silent',
      async () =>
        (await count("processes where host = 'host-a' and seen_at > clock_timestamp() - interval '10 s'")) ===
        0,
    );
    mend('host-a');
    await until(
      'host-a is there again',
      async () =>
        (await count("processes where host = 'host-a' and seen_at > clock_timestamp() - interval '3 s'")) ===
        1,
    );
    await house.warehouse.run("update customers set score = 0.1 where customer_id < 'C-2'");
    await house.warehouse.run(
      "insert into customers select 'D-' || i, 'Customer x' || i || '.', 0.9 from range(200) r (i)",
    );
    await until(
      'the new ones are verified',
      async () => (await count("actions where state = 'verified'")) === 3200,
    );
    assert.equal(tickets().length, 3200);
    assert.equal(await count('balance where unaccounted <> 0'), 0);
  });
});
