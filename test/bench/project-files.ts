import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Diff, diffs } from '../../src/config/model.ts';

/** Writes a project's files into a folder. */
export async function writeProject(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), text);
  }
}

/** Out of the way: what is measured is Readback, not the vendor's limit. */
export const noLimit = 'rate_limit: { requests: 100000, per: 1s }';

/** @param limit of the connection, as YAML; empty: the vendor's own */
export const endToEndFiles = (lanes: number, limit: string): Record<string, string> => ({
  'readback.yml': `
project: bench
warehouses:
  analytics: { type: duckdb, path: ./warehouse.duckdb }
connections:
  crm:
    connector: hubspot
    access_token: env:ACCESS_TOKEN
    base_url: env:BASE_URL
    ${limit}
`,
  'signals/churn_risk.sql': `/*
key: customer_id
when: score > 0.8
rearm: score < 0.6
observed_at: scored_at
*/
select customer_id, score, scored_at from customers`,
  'sql/enrich/profile.sql': `/*
key: customer_id
*/
select customer_id, email, name, plan from profiles`,
  'destinations/contact.yaml': `
connection: crm
action: upsert_contact
signals: [churn_risk]
on: [entered]
when: plan != 'free'
enrich: profile
lanes: ${lanes}
fields:
  email: "{{ email }}"
  firstname: "{{ name }}"
  churn_probability: "{{ score }}"
`,
});

/** Nobody is in the set yet. The first customer is for warming up, the others are for the measurement. */
export const customers = (count: number): string => `
create table customers as
select 'C-' || lpad(i::text, 7, '0') as customer_id, 0.1::double as score, now() as scored_at
from range(${count + 1}) as r (i);
create table profiles as
select
  customer_id, 'c' || i || '@acme.example' as email, 'Customer ' || i as name,
  case i % 3 when 0 then 'team' else 'enterprise' end as plan
from (select customer_id, row_number() over () - 1 as i from customers)`;

export const enterFirst = `update customers set score = 0.9, scored_at = now() where customer_id = 'C-0000000'`;
export const enterAll = `update customers set score = 0.9, scored_at = now() where score < 0.5`;

/** @param warehouse the warehouse's entry in YAML */
export const pollFiles = (warehouse: string): Record<string, string> => ({
  'readback.yml': `
project: bench
warehouses:
  analytics: ${warehouse}
`,
  'signals/customers.sql': pollSignal('digest'),
});

/** The same rows by every kind of comparison, each a signal of its own. */
export const diffFiles = (warehouse: string): Record<string, string> => ({
  ...pollFiles(warehouse),
  ...Object.fromEntries(diffs.map((diff) => [`signals/${diff}.sql`, pollSignal(diff)])),
});

const pollSignal = (diff: Diff): string => `/*
key: customer_id
on: [entered, changed, left]
track: [score, plan]
observed_at: scored_at
timeout: 10m
diff: ${diff}
*/
${rowsOfPoll}`;

/** What the poll's signal selects, and what the bare driver reads. */
export const rowsOfPoll = 'select customer_id, score, plan, scored_at from customers';

/** The same rows in either warehouse. */
export const pollRows = (warehouse: 'duckdb' | 'postgres', count: number): string => `
create table customers as
select
  'C-' || lpad(i::text, 7, '0') as customer_id, round((i % 1000) / 1000.0, 3) as score,
  case i % 3 when 0 then 'free' when 1 then 'team' else 'enterprise' end as plan,
  now() - i * interval '1 second' as scored_at
from ${warehouse === 'duckdb' ? `range(${count}) as r (i)` : `generate_series(0, ${count - 1}) as r (i)`}`;

/** One row of a thousand gets another score. */
export const changeSome = `
update customers set score = score + 1, scored_at = now() where right(customer_id, 3) = '500'`;

/** A signal whose changes are acted on, by a destination that nobody works: what is measured is the ledger. */
export const historyFiles: Readonly<Record<string, string>> = {
  ...pollFiles('{ type: duckdb, path: ./warehouse.duckdb }'),
  'readback.yml': `
project: bench
warehouses:
  analytics: { type: duckdb, path: ./warehouse.duckdb }
connections:
  crm: { connector: hubspot, access_token: env:ACCESS_TOKEN }
`,
  'destinations/contact.yaml': `
connection: crm
action: upsert_contact
signals: [customers]
on: [entered, changed, left]
fields:
  email: "{{ customer_id }}@acme.example"
`,
};

/** Where a trigger's rows go: an entry of `connections`, and the action with its options, as YAML. */
export interface Erp {
  connection: string;
  action: string;
}

/** A JSON API that is told of each product by a request of its own. */
export const apiErp: Erp = {
  connection: `
    connector: http
    base_url: env:BASE_URL
    bearer_token: env:BEARER_TOKEN
    ${noLimit}
    actions:
      put_product:
        idempotency: upsert
        concurrency: 32
        fields:
          sku: /sku
          title: /title
        write:
          method: PUT
          path: /products/{sku}
          body: { title: "{title}" }
          headers: { X-Request-Id: "{action_key}" }
          id: "{sku}"
        read:
          find: { path: "/products/{sku}", id: /sku }`,
  action: 'action: put_product',
};

/** A table that takes all products that are due in one statement. */
export const tableErp: Erp = {
  connection: `
    connector: postgres
    url: env:ERP_URL
    ${noLimit}`,
  action: 'action: upsert_row\noptions: { table: public.products, key: [sku] }',
};

/** The table of `tableErp`, which notes when a product first came. */
export const products = `
create table products (sku text primary key, title text, arrived timestamptz default clock_timestamp())`;

/** A signal on a Postgres table, with a trigger, and a destination that is told of each row that enters. */
export const triggerFiles = (
  lanes: number,
  kind: 'replicate' | 'listen',
  { connection, action }: Erp,
): Record<string, string> => ({
  'readback.yml': `
project: bench
warehouses:
  shop: { type: postgres, url: env:WAREHOUSE_URL }
connections:
  erp:${connection}
`,
  'signals/low_stock.sql': `/*
key: sku
when: on_hand < 10
every: 1h
trigger: ${kind === 'listen' ? '{ listen: low_stock }' : '{ replicate: { publication: readback } }'}
*/
select sku, on_hand, title from stock`,
  'destinations/product.yaml': `
connection: erp
${action}
signals: [low_stock]
on: [entered]
lanes: ${lanes}
fields:
  sku: "{{ sku }}"
  title: "{{ title }}: {{ on_hand }} left"
`,
});

export const triggerRows = (count: number): string => `
create table stock as
select 'S-' || i as sku, 50 as on_hand, 'Product ' || i as title from generate_series(0, ${count - 1}) as i;
alter table stock add primary key (sku);
analyze stock;
create publication readback for table stock`;
