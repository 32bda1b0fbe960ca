import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Project } from '../../src/config/model.ts';
import { loadProject } from '../../src/config/project.ts';

/** A small project without a mistake. */
export const soundFiles: Readonly<Record<string, string>> = {
  'readback.yml': `project: acme
warehouses:
  analytics: { type: duckdb, path: ./data/warehouse.duckdb }
connections:
  crm: { connector: hubspot, access_token: env:HUBSPOT_TOKEN }
  team: { connector: slack, bot_token: env:SLACK_TOKEN }
  support:
    connector: zendesk
    subdomain: acme
    email: env:ZENDESK_EMAIL
    api_token: env:ZENDESK_TOKEN
`,
  'signals/churn_risk.sql': `/*
description: Customers likely to leave
schedule: "*/5 * * * *"
key: customer_id
when: churn_probability > 0.85
*/
select customer_id, churn_probability from churn_scores
`,
  'destinations/retention_task.yaml': `connection: crm
action: create_task
signals: [churn_risk]
enrich: customer_profile
fields:
  subject: "Call {{ name }}"
  contact_email: "{{ email }}"
`,
  'sql/enrich/customer_profile.sql': '/* fresh: 10m */\nselect * from customers\n',
};

export const environment = {
  HUBSPOT_TOKEN: 'pat-12345',
  SLACK_TOKEN: 'xoxb-12345',
  ZENDESK_EMAIL: 'agent@acme.example',
  ZENDESK_TOKEN: 'zd-12345',
};

export interface Written {
  files?: Record<string, string | Buffer>;
  env?: Record<string, string>;
  target?: string;
}

/** Writes the sound project with some files replaced or added, and loads it. */
export async function load({ files = {}, env = environment, target }: Written): Promise<Project> {
  const root = await mkdtemp(join(tmpdir(), 'readback-config-'));
  try {
    for (const [file, content] of Object.entries({ ...soundFiles, ...files })) {
      await mkdir(dirname(join(root, file)), { recursive: true });
      await writeFile(join(root, file), content);
    }
    return await loadProject(root, { env, target });
  } finally {
    await rm(root, { recursive: true });
  }
}

/** The sound project with one line of one file replaced. */
export function edited(file: string, before: string, after: string): Record<string, string> {
  const text = soundFiles[file] ?? '';
  if (!text.includes(before)) throw new Error(`${file} does not hold ${before}`);
  return { [file]: text.replace(before, () => after) };
}
