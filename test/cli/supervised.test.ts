import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { emptyFolder, type Running, readback, start } from './readback.ts';

const { folder, remove } = await emptyFolder();
const project = join(folder, 'acme');
let supervisor: Running;
const others: Running[] = [];
/** Killed by these tests. It counts as alive until it has been silent for a while. */
let killed: number | undefined;

before(async () => {
  assert.equal((await readback(folder, 'init', 'acme')).code, 0);
});
after(async () => {
  for (const one of [supervisor, ...others]) await one?.stop().catch(() => {});
  await remove();
});

interface Status {
  processes: { role: string; pid: number; alive: boolean; host: string }[];
  signals: { signal: string; state: string | null; overdue: boolean }[];
  troubles: unknown[];
}

async function status(): Promise<Status> {
  const { code, stdout, stderr } = await readback(project, 'status', '--output', 'json');
  assert.equal(code, 0, stderr || stdout);
  return JSON.parse(stdout) as Status;
}

async function until<Fact>(what: string, look: () => Promise<Fact | undefined>): Promise<Fact> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const fact = await look();
    if (fact !== undefined) return fact;
    assert.ok(Date.now() < deadline, `never: ${what}`);
  }
}

/** The process that does the work of a role. */
function working(role: string): Promise<number> {
  return until(`a process as ${role}`, async () => {
    const { processes } = await status();
    return processes.find((one) => one.role === role && one.alive && one.pid !== killed)?.pid;
  });
}

test('a project nobody works on yet has a status', async () => {
  const { code, stdout } = await readback(project, 'status');
  assert.equal(code, 0);
  assert.match(stdout, /^no process is running\n\nsignal +schedule +last poll/);
  assert.match(stdout, /^churn_risk +\*\/5 \* \* \* \* +never/m);
});

test('what a supervisor started is started again when it is killed', async () => {
  supervisor = start(project, ['start', '--supervise']);
  const first = await working('all');
  assert.notEqual(first, supervisor.pid);
  process.kill(first, 'SIGKILL');
  killed = first;
  const second = await working('all');
  assert.notEqual(second, supervisor.pid);
  assert.match(
    supervisor.stderr,
    new RegExp(`supervisor: pid ${first} ended with exit code 137; starting again`),
  );
});

test('another process in the same folder joins the embedded ledger, and says what it needs', async () => {
  const worker = start(project, ['start', '--role', 'worker']);
  others.push(worker);
  await worker.printed(/running acme as worker/);
  const { processes, troubles } = await status();
  assert.deepEqual(
    processes.filter((one) => one.alive && one.pid !== killed).map((one) => one.role),
    ['all', 'worker'],
  );
  assert.deepEqual(troubles, []);
  assert.match(worker.stderr, /^the ledger is the embedded one of this folder: .*READBACK_DATABASE_URL$/m);
  assert.equal((await worker.stop()).code, 0);
});

test('a supervisor asked to stop lets its process finish, and ends as it does', async () => {
  const { code, stderr } = await supervisor.stop();
  assert.equal(code, 0, stderr);
  assert.match(stderr, /"draining"[\s\S]*"stopped"/);
});

test('when the supervisor itself is killed, its process drains', async () => {
  supervisor = start(project, ['start', '--supervise']);
  const child = await working('all');
  // The output is shared, so the end of both is waited for.
  const { code, stderr } = await supervisor.stop('SIGKILL');
  assert.equal(code, null);
  assert.match(stderr, /"draining"[\s\S]*"stopped"/);
  const { processes } = await status();
  assert.ok(!processes.some((one) => one.pid === child), 'it did not end in order');
});
