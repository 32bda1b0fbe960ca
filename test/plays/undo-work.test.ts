import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
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
  'destinations/alert.yaml': step(`connection: team
action: post_message
after: story
on_failure: compensate
fields: { channel: C0ALERTS, text: "All is under way for {{ name }}" }`),
};

let house: Play;
const others = new Map<string, Sandbox>();
before(async () => {
  const env: Record<string, string> = {};
  for (const name of ['jira', 'linear']) {
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

test('an issue is closed and a story cancelled, and both are read back', async () => {
  house.nextCustomer();
  house.sandboxes.get('slack')?.inject({ kind: 'reject_item', match: 'All is under way' });
  await house.enter();
  assert.deepEqual(await house.states(), {
    issue: 'verified',
    story: 'verified',
    alert: 'rejected',
    'story.undo': 'verified',
    'issue.undo': 'verified',
  });
  assert.ok(await house.beganAfter('issue.undo', 'story.undo'));
  const [issue] = (others.get('jira')?.records() ?? []).filter(({ type }) => type === 'issues');
  assert.equal((issue?.fields.status as { name: string }).name, 'Done');
  assert.deepEqual((issue?.fields.labels as string[]).slice(-1), ['withdrawn']);
  const [story] = others.get('linear')?.records() ?? [];
  assert.deepEqual([story?.fields.title, story?.writes], [`Fix it for ${house.customer}`, 2]);
  assert.deepEqual(await house.unbalanced(), []);
});
