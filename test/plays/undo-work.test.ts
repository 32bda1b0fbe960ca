import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import type { Sandbox } from '../../src/connectors/connector.ts';
import { sandboxEnvironment } from '../../src/connectors/environment.ts';
import { loadConnector } from '../../src/connectors/index.ts';
import { type Play, play, signalFile } from '../helpers/play.ts';

const step = (lines: string) => `signals: [churn]\nverify: { lag: 300ms }\n${lines}\n`;
const files = {
  'readback.yml': `
project: rig
warehouses:
  analytics: { type: duckdb, path: ./warehouse.duckdb }
connections:
  team: { connector: slack, bot_token: env:SLACK_BOT_TOKEN, base_url: env:SLACK_BASE_URL }
  work: { connector: jira, site: acme, email: env:JIRA_EMAIL, api_token: env:JIRA_API_TOKEN, base_url: env:JIRA_BASE_URL }
  erp: { connector: postgres, host: env:POSTGRES_HOST, port: env:POSTGRES_PORT, database: env:POSTGRES_DATABASE, user: env:POSTGRES_USER, password: env:POSTGRES_PASSWORD, sslmode: disable }
  product: { connector: linear, api_key: env:LINEAR_API_KEY, base_url: env:LINEAR_BASE_URL }
`,
  'signals/churn.sql': signalFile,
  'destinations/issue.yaml': step(`connection: work
action: create_issue
fields: { project: ONB, issue_type: Task, summary: "Call {{ name }}", labels: vip }`),
  'destinations/story.yaml': step(`connection: product
action: create_issue
after: issue
fields: { team: ENG, title: "Fix it for {{ name }}" }`),
  'destinations/order.yaml': step(`connection: erp
action: insert_row
options: { table: public.purchase_orders }
after: issue
fields: { sku: "{{ name }}", quantity: "1", unit_price: "2.50" }`),
  'destinations/alert.yaml': step(`connection: team
action: post_message
after: [story, order]
on_failure: compensate
fields: { channel: C0ALERTS, text: "All is under way for {{ name }}" }`),
};

let house: Play;
const others = new Map<string, Sandbox>();
before(async () => {
  const env: Record<string, string> = {};
  for (const name of ['jira', 'linear', 'postgres']) {
    const sandbox = await (await loadConnector(name))?.sandbox({ rateLimit: null });
    assert.ok(sandbox);
    others.set(name, sandbox);
    Object.assign(env, sandboxEnvironment(name, sandbox));
  }
  house = await play(files, env);
});
after(async () => {
  await house.close();
  for (const sandbox of others.values()) await sandbox.close();
});

test('an issue is closed, a story cancelled and a row deleted, and all are read back', async () => {
  house.nextCustomer();
  house.sandboxes.get('slack')?.inject({ kind: 'reject_item', match: 'All is under way' });
  await house.enter();
  assert.deepEqual(await house.states(), {
    issue: 'verified',
    story: 'verified',
    order: 'verified',
    alert: 'rejected',
    'story.undo': 'verified',
    'order.undo': 'verified',
    'issue.undo': 'verified',
  });
  assert.ok(await house.beganAfter('issue.undo', 'story.undo'));
  const [issue] = (others.get('jira')?.records() ?? []).filter(({ type }) => type === 'issues');
  assert.equal((issue?.fields.status as { name: string }).name, 'Done');
  assert.deepEqual((issue?.fields.labels as string[]).slice(-1), ['withdrawn']);
  const [story] = others.get('linear')?.records() ?? [];
  assert.deepEqual([story?.fields.title, story?.writes], [`Fix it for ${house.customer}`, 2]);
  assert.deepEqual(others.get('postgres')?.records()[0]?.fields, { 'is deleted': true });
  assert.deepEqual(await house.unbalanced(), []);
});

test('a row that somebody has changed meanwhile stays, and the undoing says why', async () => {
  house.nextCustomer();
  house.sandboxes.get('slack')?.inject({ kind: 'reject_item', match: 'All is under way' });
  await house.pause('alert');
  await house.enter();
  await house.reached('order', 'verified');
  const {
    host = '',
    port = '',
    database = '',
    user = '',
    password = '',
  } = others.get('postgres')?.settings ?? {};
  const client = new pg.Client({ host, port: Number(port), database, user, password });
  await client.connect();
  await client.query('update purchase_orders set approved = true where sku = $1', [house.customer]);
  await client.end();
  await house.resume('alert');
  const states = await house.states();
  assert.deepEqual([states['order.undo'], states['issue.undo']], ['rejected', 'verified']);
  assert.match((await house.reasons())['order.undo'] ?? '', /somebody has changed approved since/);
});
