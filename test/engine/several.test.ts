import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import type { Sandbox } from '../../src/connectors/connector.ts';
import { sandboxEnvironment } from '../../src/connectors/environment.ts';
import { loadConnector } from '../../src/connectors/index.ts';
import { settle } from '../../src/engine/settle.ts';
import { pause, resume } from '../../src/ledger/commands.ts';
import { churnSignal, churnTable, churnTicket } from '../helpers/churn.ts';
import { compiledMain } from '../helpers/product.ts';
import { type Rig, rig } from '../helpers/project.ts';
import { until } from '../helpers/until.ts';

/**
 * Of the vendor; nobody may see a 429. The budget leaves 5 % of the window for requests that arrive late: 250 ms here, as
 * a busy machine delays them by up to 150. Two workers that did not know of each other would send 340 in 5 s.
 */
const limit = { requests: 200, perMs: 5_000 };

const files = {
  'readback.yml': `
project: several
warehouses:
  analytics: { type: duckdb, path: ./warehouse.duckdb }
connections:
  support: { connector: zendesk, subdomain: acme, email: env:ZENDESK_EMAIL, api_token: env:ZENDESK_API_TOKEN, base_url: env:ZENDESK_BASE_URL, rate_limit: { requests: ${limit.requests}, per: ${limit.perMs}ms }, timeout: 2s }
`,
  'signals/churn.sql': churnSignal,
  'destinations/ticket.yaml': `${churnTicket}lanes: 4
`,
};

let house: Rig;
let vendor: Sandbox;
const running = new Set<Service>();

before(async () => {
  house = await rig(files, churnTable(500));
  const connector = await loadConnector('zendesk');
  vendor = await (connector as NonNullable<typeof connector>).sandbox({ rateLimit: limit });
});
after(async () => {
  for (const service of running) service.child.kill('SIGKILL');
  await vendor.close();
  await house.close();
});

interface Line {
  pid: number;
  level: string;
  msg: string;
  [field: string]: unknown;
}

/** `readback start` as a user would run it, with what it has logged. */
class Service {
  readonly child: ChildProcess;
  readonly lines: Line[] = [];
  #rest = '';

  constructor(...args: string[]) {
    this.child = spawn(process.execPath, [compiledMain, '--project', house.root, 'start', ...args], {
      env: { ...process.env, ...house.env, ...sandboxEnvironment('zendesk', vendor) },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.child.stderr?.on('data', (chunk) => {
      const parts = `${this.#rest}${chunk}`.split('\n');
      this.#rest = parts.pop() ?? '';
      this.lines.push(...parts.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)));
    });
    running.add(this);
    this.child.once('exit', () => running.delete(this));
  }

  count(message: string): number {
    return this.lines.filter((line) => line.msg === message).length;
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    this.child.kill(signal);
    const [code] = (await once(this.child, 'exit')) as [number | null];
    return code;
  }
}

async function rows<Row>(text: string): Promise<Row[]> {
  return (await house.database.pool.query(text)).rows as Row[];
}

async function count(condition: string): Promise<number> {
  return (await rows<{ found: number }>(`select count(*) as found from ${condition}`))[0]?.found ?? 0;
}

const score = (from: number, to: number, value: number) =>
  house.warehouse.run(
    `update customers set score = ${value} where substr(customer_id, 3)::integer between ${from} and ${to}`,
  );

async function settled(): Promise<void> {
  assert.deepEqual(await settle(house.database.pool, { signals: ['churn'], waitMs: 60_000 }), []);
}

const breaches = () => vendor.requests().filter(({ status }) => status === 429);

let schedulers: Service[];
let workers: Service[];

test('a scheduler alone fires its ticks, and no poll follows until there is a worker', async () => {
  schedulers = [new Service('--role', 'scheduler')];
  await until('a tick is fired', async () => (await count("polls where state = 'queued'")) > 0);
  assert.equal(await count('polls where started_at is not null'), 0);
  workers = [new Service('--role', 'worker'), new Service('--role', 'worker')];
  await until(
    'the baseline is there',
    async () => (await count('signals where baselined_at is not null')) === 1,
  );
});

test('two schedulers fire a tick once', async () => {
  schedulers.push(new Service('--role', 'scheduler'));
  await until('four are at work', async () => (await count('processes')) === 4);
  const from = await count('polls');
  await until('five ticks are over', async () => (await count("polls where state = 'done'")) > from + 5);
  const polled = () => workers.reduce((sum, worker) => sum + worker.count('polled'), 0);
  await until('every poll was logged', async () => {
    const done = await count("polls where state in ('done', 'baseline')");
    assert.ok(polled() <= done + 1, `${polled()} polls for ${done} ticks`);
    return polled() >= done;
  });
  assert.equal(
    await count("polls where cause = 'schedule' and date_trunc('second', scheduled_for) <> scheduled_for"),
    0,
  );
});

test('the lanes spread over the workers, which keep the limit of the vendor together', async () => {
  await score(0, 299, 0.9);
  await until('all are planned', async () => (await count('actions')) === 300);
  await settled();
  assert.equal(await count("actions where state = 'verified'"), 300);
  assert.equal(vendor.records().filter(({ type }) => type === 'tickets').length, 300);
  for (const worker of workers)
    assert.ok(worker.count('written') > 0, `pid ${worker.child.pid} wrote nothing`);
  assert.deepEqual(breaches(), []);
});

test('a worker that is killed is succeeded by the other, which says so', async () => {
  const before = new Map(workers.map((worker) => [worker, worker.count('written')]));
  const atWork = () => workers.find((worker) => worker.count('written') > (before.get(worker) as number));
  await score(300, 399, 0.9);
  // Whichever comes first: it may take every lane.
  await until('one is at work', () => atWork() !== undefined);
  const victim = atWork() as Service;
  const heir = workers.find((worker) => worker !== victim) as Service;
  await victim.end('SIGKILL');
  await settled();
  assert.equal(await count("actions where state = 'verified'"), 400);
  assert.equal(vendor.records().filter(({ type }) => type === 'tickets').length, 400);
  const takeovers = heir.lines.filter(({ msg }) => msg === 'lane taken over');
  assert.ok(takeovers.length > 0, 'nobody said so');
  for (const { level, from, destination, lane, orphans, heldMs } of takeovers) {
    assert.equal(level, 'warn');
    assert.match(String(from), new RegExp(`^pid ${victim.child.pid} on `));
    assert.equal(destination, 'ticket');
    for (const number of [lane, orphans, heldMs]) assert.equal(typeof number, 'number');
  }
});

test('without any scheduler, what becomes due is still sent and read back', async () => {
  const crm = { kind: 'destination' as const, name: 'ticket' };
  await pause(house.database.pool, crm, 'night', 'support');
  await score(400, 409, 0.9);
  await until('ten are held', async () => (await count("actions where state = 'held'")) === 10);
  for (const scheduler of schedulers) await scheduler.end('SIGKILL');
  await resume(house.database.pool, crm);
  vendor.inject({ kind: 'error_before_write', times: 3 });
  await settled();
  assert.equal(await count("actions where state = 'verified'"), 410);
  assert.deepEqual(breaches(), []);
});

test('asked to stop, each takes its row along; the killed ones are shown as silent', async () => {
  for (const service of [...running]) assert.equal(await service.end('SIGTERM'), 0);
  const left = await rows<{ role: string; pid: number }>('select role, pid from processes order by role');
  assert.deepEqual(
    left.map(({ role }) => role),
    ['scheduler', 'scheduler', 'worker'],
  );
});
