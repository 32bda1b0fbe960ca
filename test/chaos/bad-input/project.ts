import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

/** Project files by path. */
export type Files = Readonly<Record<string, string | Buffer>>;

/** A project without a mistake. One key a line, so that a mutation knows on which line it put its fault. */
export const soundFiles: Readonly<Record<string, string>> = {
  'readback.yml': `project: harbour
warehouses:
  analytics:
    type: duckdb
    path: ./warehouse.duckdb
    threads: 1
connections:
  crm:
    connector: hubspot
    access_token: env:HUBSPOT_ACCESS_TOKEN
    rate_limit:
      requests: 100
      per: 10s
    timeout: 20s
  support:
    connector: zendesk
    subdomain: acme
    email: env:ZENDESK_EMAIL
    api_token: env:ZENDESK_API_TOKEN
  team:
    connector: slack
    bot_token: env:SLACK_BOT_TOKEN
defaults:
  timezone: Europe/Berlin
  owner: growth@acme.example
  severity: low
  sla: 1h
  ttl: 48h
`,
  'signals/churn_risk.sql': `/*
description: Customers likely to leave
owner: retention@acme.example
warehouse: analytics
schedule: "*/5 * * * *"
timezone: Europe/Prague
key: customer_id
when: churn_probability > 0.85
rearm: churn_probability < 0.75
on: [entered, left]
observed_at: scored_at
severity: high
tags: [retention]
sla: 30m
cooldown: 14d
ttl: 24h
guard:
  max_new: 500
  max_new_ratio: 0.5
  max_age: 6h
  allow_empty: false
backfill: none
timeout: 30s
*/
select
  customer_id,
  churn_probability,
  scored_at
from churn_scores
`,
  'signals/deal_won.sql': `/*
description: Deals that were won
owner: sales@acme.example
every: 1m
key: deal_id
observed_at: closed_at
tags: [sales]
sla: 10m
*/
select deal_id, customer_id, amount, closed_at
from deals
where stage = 'won'
`,
  'signals/low_stock.sql': `/*
description: Products about to run out
schedule: "30 2 * * 1-5"
key: [warehouse_code, sku]
when: on_hand < reorder_point
on: [entered, changed, left]
track: [on_hand]
observed_at: counted_at
severity: medium
*/
select warehouse_code, sku, on_hand, reorder_point, counted_at
from inventory
`,
  'signals/ticket_age.sql': `/*
description: Tickets that wait too long
every: 30s
key: ticket_id
when: minutes > 60
*/
select ticket_id, minutes
from tickets
`,
  'sql/enrich/customer_profile.sql': `/*
description: Who the customer is
warehouse: analytics
key: customer_id
fresh: 10m
timeout: 20s
*/
select customer_id, name, email, plan, monthly_revenue
from customers
`,
  'sql/enrich/product.sql': `/*
key: [warehouse_code, sku]
fresh: 1h
*/
select warehouse_code, sku, title, supplier
from inventory join products using (sku)
`,
  'destinations/retention_task.yaml': `description: A call task for the account owner
owner: retention@acme.example
tags: [calls]
connection: crm
action: create_task
options:
  key_property: readback_key
signals: [churn_risk]
on: [entered]
when: plan != 'free'
enrich: customer_profile
fields:
  subject: "Call {{ name }}: churn risk {{ churn_probability | percent }}"
  body: "Pays {{ monthly_revenue | money: 'USD' }} a month on the {{ plan }} plan."
  contact_email: "{{ email }}"
  priority: HIGH
  due: "{{ now | plus: '2d' }}"
verify:
  fields: [subject, priority]
  within: 60s
  lag: 2s
ttl: 24h
lanes: 2
max_attempts: 5
`,
  'destinations/churn_alert.yaml': `description: Tell the team
connection: team
action: post_message
signals: [churn_risk]
on: [entered]
when: plan == 'enterprise'
enrich: [customer_profile]
fields:
  channel: C0RETENTION
  text: "{{ name }} is at {{ churn_probability | percent }}"
ttl: 24h
`,
  'destinations/deal_contact.yaml': `description: A won deal makes its contact a customer
connection: crm
action: upsert_contact
options:
  id_property: customer_id
signals: [deal_won]
on: [entered]
fields:
  customer_id: "{{ customer_id }}"
  last_deal_amount: "{{ amount }}"
ttl: 12h
`,
  'destinations/restock_ticket.yaml': `description: A ticket for the purchasing desk
connection: support
action: create_ticket
signals: [low_stock]
on: [entered]
enrich: product
fields:
  subject: "Restock {{ title }} in {{ warehouse_code }}"
  body: "{{ on_hand }} left of {{ sku }}. Supplier: {{ supplier }}."
  priority: high
verify:
  within: 60s
ttl: 24h
`,
  'destinations/restock_done.yaml': `description: Closes the ticket when the stock is back
connection: support
action: update_ticket
signals: [low_stock]
on: [left]
follows: restock_ticket
fields:
  status: solved
  comment: "Stock of {{ sku }} is back."
ttl: 24h
`,
  'destinations/ticket_note.yaml': `description: Somebody should look
connection: team
action: post_message
signals: [ticket_age]
fields:
  channel: C0SUPPORT
  text: "Ticket {{ ticket_id }} waits for {{ minutes }} minutes"
`,
};

/** Secrets no output may ever show. */
export const environment: Readonly<Record<string, string>> = {
  HUBSPOT_ACCESS_TOKEN: 'pat-hush-1f0e8d',
  ZENDESK_EMAIL: 'agent@acme.example',
  ZENDESK_API_TOKEN: 'zd-hush-77ab31',
  SLACK_BOT_TOKEN: 'xoxb-hush-9c2d4e',
};

/** What an output must not hold. */
export const secretMark = 'hush-';

const tables = `
create table churn_scores (customer_id varchar, churn_probability double, scored_at timestamp);
create table customers (customer_id varchar, name varchar, email varchar, plan varchar, monthly_revenue decimal(12,2));
create table deals (deal_id varchar, customer_id varchar, amount decimal(12,2), stage varchar, closed_at timestamp);
create table inventory (warehouse_code varchar, sku varchar, on_hand integer, reorder_point integer, counted_at timestamp);
create table products (sku varchar, title varchar, supplier varchar);
create table tickets (ticket_id varchar, minutes integer);
`;

/** Writes the warehouse that the project's SQL fits. */
export async function writeWarehouse(path: string): Promise<void> {
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  await connection.run(tables);
  connection.closeSync();
  instance.closeSync();
}

/** Writes the sound project with the warehouse into an empty folder. */
export async function writeProject(folder: string, warehouse: string): Promise<void> {
  await writeFiles(folder, soundFiles);
  await copyFile(warehouse, join(folder, 'warehouse.duckdb'));
}

export async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [file, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), content);
  }
}

/** Puts the sound content back, and takes away files the sound project does not have. */
export async function restoreFiles(folder: string, files: readonly string[]): Promise<void> {
  for (const file of files) {
    const sound = soundFiles[file];
    if (sound === undefined) await rm(join(folder, file), { recursive: true, force: true });
    else await writeFile(join(folder, file), sound);
  }
}
