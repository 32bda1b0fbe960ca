import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { emptyFolder, type Running, readback, start } from './readback.ts';

const folder = await emptyFolder();
const project = join(folder.folder, 'acme');
let sandboxes: Running;
let slack = '';

before(async () => {
  assert.equal((await readback(folder.folder, 'init', 'acme')).code, 0);
  sandboxes = start(folder.folder, ['sandbox', 'hubspot', 'slack', '--fault', 'slack=throttle']);
  await sandboxes.printed(/until Ctrl-C/);
  const [, crm = ''] = await sandboxes.printed(/HUBSPOT_BASE_URL=(\S+)/);
  const [, team = ''] = await sandboxes.printed(/SLACK_BASE_URL=(\S+)/);
  const file = join(project, 'readback.yml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('http://127.0.0.1:4600', crm).replace('http://127.0.0.1:4601', team));
  slack = team;
});
after(async () => {
  await sandboxes?.stop();
  await folder.remove();
});

async function inWarehouse(sql: string): Promise<void> {
  const instance = await DuckDBInstance.create(join(project, 'warehouse.duckdb'));
  const connection = await instance.connect();
  await connection.run(sql);
  connection.closeSync();
  instance.closeSync();
}

async function inject(fault: Record<string, unknown>): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify(fault);
  const { status } = await fetch(`${slack}/_sandbox/faults`, { method: 'POST', headers, body });
  assert.equal(status, 204);
}

async function results(): Promise<{
  exit_code: number;
  polls: { poll: string; entered: number }[];
  outcomes: ({ destination: string } & Record<string, number>)[];
}> {
  return JSON.parse(await readFile(join(project, 'target/run_results.json'), 'utf8'));
}

function outcomeOf(outcomes: Awaited<ReturnType<typeof results>>['outcomes'], destination: string) {
  return outcomes.find((one) => one.destination === destination);
}

test('a run polls, acts, reads back and exits with 0 when every action has a good end', async () => {
  const { code, stdout, stderr } = await readback(project, 'run');
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /churn_risk +baseline +3 +3/);
  const { outcomes, exit_code } = await results();
  assert.equal(exit_code, 0);
  assert.equal(outcomeOf(outcomes, 'crm_contact')?.verified, 2);
  assert.equal(outcomeOf(outcomes, 'crm_contact')?.suppressed, 1);
  assert.equal(outcomeOf(outcomes, 'team_alert')?.verified, 3);
  assert.ok(existsSync(join(project, 'target/manifest.json')));
});

test('report and trace tell what was done, from the ledger alone', async () => {
  const report = await readback(project, 'report', '--output', 'json');
  assert.equal(report.code, 0, report.stderr);
  const { totals } = JSON.parse(report.stdout) as { totals: Record<string, number> };
  assert.deepEqual([totals.detected, totals.verified, totals.suppressed], [6, 5, 1]);
  const trace = await readback(project, 'trace', 'C-1001');
  assert.equal(trace.code, 0, trace.stderr);
  assert.match(trace.stdout, /→ crm_contact {2}verified/);
  assert.equal((await readback(project, 'trace', 'C-9999')).code, 1);
});

test('doctor finds a sound project sound', async () => {
  const { code, stdout, stderr } = await readback(project, 'doctor');
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /✓ connection crm: hubspot\n/);
  assert.match(stdout, /✓ balance: /);
});

test('a rejected action makes run exit with 1, is listed by retry --preview, and is sent by retry and run', async () => {
  await inject({ kind: 'reject_item', match: 'Eli Novak' });
  await inWarehouse("update churn_scores set churn_probability = 0.99 where customer_id = 'C-1005'");
  const failed = await readback(project, 'run');
  assert.equal(failed.code, 1, failed.stdout + failed.stderr);
  assert.match(failed.stdout, /^rejected +churn_risk +team_alert +C-1005 +restricted_action/m);

  const preview = await readback(project, 'retry', '--preview', '--output', 'json');
  assert.equal(preview.code, 0, preview.stderr);
  const letters = JSON.parse(preview.stdout) as Record<string, string>[];
  assert.deepEqual(
    letters.map(({ entity, destination, state, retry }) => [entity, destination, state, retry]),
    [['C-1005', 'team_alert', 'rejected', 'yes']],
  );
  assert.match((await readback(project, 'retry', '--only', 'C-1001')).stderr, /nothing to retry/);

  assert.match((await readback(project, 'retry')).stderr, /1 action due again/);
  const mended = await readback(project, 'run');
  assert.equal(mended.code, 0, mended.stdout + mended.stderr);
  assert.equal(outcomeOf((await results()).outcomes, 'team_alert')?.verified, 1);
});

test('a paused destination holds its actions until it is resumed', async () => {
  const paused = await readback(project, 'pause', 'team_alert', '--reason', 'night');
  assert.equal(paused.stdout, 'paused destination team_alert: night; 0 actions held\n');
  await inWarehouse("update churn_scores set churn_probability = 0.95 where customer_id = 'C-1006'");
  await inWarehouse("update churn_scores set churn_probability = 0.95 where customer_id = 'C-1002'");
  assert.equal((await readback(project, 'run')).code, 0);
  assert.equal(outcomeOf((await results()).outcomes, 'team_alert')?.held, 2);

  const resumed = await readback(project, 'resume', 'team_alert');
  assert.equal(resumed.stdout, 'resumed destination team_alert; 2 actions due again\n');
  assert.equal((await readback(project, 'run')).code, 0);
  assert.equal(outcomeOf((await results()).outcomes, 'team_alert')?.verified, 2);
});

test('pause says what it does not know', async () => {
  const { code, stderr } = await readback(project, 'pause', 'team_alrt');
  assert.equal(code, 2);
  assert.match(stderr, /^SELECTION: .*\n {2}→ did you mean `team_alert`\?/);
});

test('start runs what is sound, reports what is broken, and ends in order at SIGTERM', async () => {
  await writeFile(join(project, 'signals/broken.sql'), '/*\nkey: [\n*/\nselect 1');
  const running = start(project, ['start']);
  await running.printed(/running acme; left out: 1 problem/);
  const { code, stdout, stderr } = await running.stop();
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^churn_risk +\*\/5 \* \* \* \* +crm_contact, team_alert/m);
  const lines = stderr.split('\n').filter((line) => line.startsWith('{'));
  const messages = lines.map((line) => JSON.parse(line) as { level: string; msg: string; code?: string });
  assert.ok(messages.some(({ level, code }) => level === 'error' && code === 'CONFIG_YAML'));
  assert.deepEqual(
    messages.map(({ msg }) => msg).filter((msg) => msg === 'draining' || msg === 'stopped'),
    ['draining', 'stopped'],
  );
});

test('a run whose connection refuses the credentials exits with 3 and says why', async () => {
  await rm(join(project, 'signals/broken.sql'));
  const token = join(project, 'sandbox/hubspot_token');
  const right = await readFile(token, 'utf8');
  await writeFile(token, 'wrong-sandbox-token');
  await inWarehouse("insert into churn_scores values ('C-1007', 0.99, now())");
  await inWarehouse(
    "insert into customers values ('C-1007', 'Gil Reyes', 'gil.reyes@example.com', 'starter', 49)",
  );
  const { code, stdout, stderr } = await readback(project, 'run', '--wait', '4s');
  assert.equal(code, 3, stdout + stderr);
  assert.match(stderr, /^crm_contact: 1 action still in flight, .*its connection rests \(unauthorized/m);
  await writeFile(token, right);
  // A person asks: doctor tries the connection although it rests, and its answer ends the rest.
  const asked = await readback(project, 'doctor');
  assert.equal(asked.code, 0, asked.stdout + asked.stderr);
  const mended = await readback(project, 'run', '--wait', '60s');
  assert.equal(mended.code, 0, mended.stdout + mended.stderr);
});

test('no output ever holds a secret', async () => {
  const outputs = [await readback(project, 'doctor', '--log-level', 'debug'), await readback(project, 'ls')];
  for (const { stdout, stderr } of outputs) assert.doesNotMatch(stdout + stderr, /sandbox-token/);
  assert.doesNotMatch(await readFile(join(project, 'target/manifest.json'), 'utf8'), /sandbox-token/);
});
