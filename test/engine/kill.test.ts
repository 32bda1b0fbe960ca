import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { settle } from '../../src/engine/settle.ts';
import { churnSignal, churnTable, churnTicket } from '../helpers/churn.ts';
import { compiledMain } from '../helpers/product.ts';
import { type Rig, rig } from '../helpers/project.ts';
import { until } from '../helpers/until.ts';

const files = {
  'signals/churn.sql': churnSignal,
  'destinations/ticket.yaml': churnTicket,
  'destinations/alert.yaml': `
connection: team
action: post_message
signals: [churn]
fields: { channel: C0ALERTS, text: "{{ name }} is leaving" }
verify: { lag: 200ms }
`,
};

let house: Rig;
const children = new Set<ChildProcess>();

before(async () => {
  house = await rig(files, churnTable(400));
});
after(async () => {
  for (const child of children) child.kill('SIGKILL');
  await house.close();
});

/** `readback start` as a user would run it. */
function start(): ChildProcess {
  const child = spawn(process.execPath, [compiledMain, '--project', house.root, 'start'], {
    env: { ...process.env, ...house.env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

async function count(condition: string): Promise<number> {
  const { rows } = await house.database.pool.query(`select count(*) as found from ${condition}`);
  return rows[0].found;
}

const sent = async () => {
  const { rows } = await house.database.pool.query(
    "select coalesce(sum(actions), 0)::integer as sent from attempts where outcome = 'intent'",
  );
  return rows[0].sent as number;
};

test('killed five times in the middle of its work, it loses nothing and doubles nothing', async () => {
  let child = start();
  await until(
    'the baseline is recorded',
    async () => (await count('signals where baselined_at is not null')) === 1,
  );
  await house.warehouse.run('update customers set score = 0.9');
  for (let kill = 1; kill <= 5; kill += 1) {
    const before = await sent();
    await until('more is sent', async () => (await sent()) > before + 20);
    child.kill('SIGKILL');
    await once(child, 'exit');
    child = start();
  }
  const open = await settle(house.database.pool, { signals: ['churn'], waitMs: 120_000 });
  assert.deepEqual(open, [], 'something is still open');
  assert.equal(await count("actions where state = 'verified'"), 800);
  for (const connector of ['zendesk', 'slack']) {
    const names = house.sandboxes
      .get(connector)
      ?.records()
      .map((record) => JSON.stringify(record.fields).match(/Customer \d+\./)?.[0])
      .filter((name) => name !== undefined);
    assert.equal(names?.length, 400, `${connector} holds ${names?.length} records`);
    assert.equal(new Set(names).size, 400, `${connector} holds duplicates`);
  }
  assert.ok(
    (await count("attempts where outcome = 'orphaned'")) > 0,
    'no kill hit a call: the test proves nothing',
  );
});

test('asked to stop in the middle of its work, it finishes what is under way and exits 0', async () => {
  for (const child of children) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  const child = start();
  await until('it works', async () => (await count("polls where state = 'done'")) > 0);
  await house.warehouse.run(
    "insert into customers select 'D-' || i, 'Customer x' || i || '.', 0.9 from range(200) r (i)",
  );
  const before = await sent();
  await until('more is sent', async () => (await sent()) > before + 10);
  child.kill('SIGTERM');
  const [code] = (await once(child, 'exit')) as [number];
  assert.equal(code, 0);
  assert.equal(await count("actions where state = 'sending'"), 0, 'a call was abandoned');
});
