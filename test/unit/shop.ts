import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openWarehouses } from '../../src/cli/warehouses.ts';
import { loadProject } from '../../src/config/project.ts';
import type { ReadbackError } from '../../src/errors.ts';
import type { Difference } from '../../src/unit/compare.ts';
import { readUnitTest } from '../../src/unit/definition.ts';
import { runUnitTest } from '../../src/unit/run.ts';
import { duckdbFile } from '../helpers/warehouse.ts';

/** A project whose signal reads two tables, and whose destination reads a third. */
export const shopFiles: Readonly<Record<string, string>> = {
  'readback.yml': `project: shop
warehouses:
  analytics: { type: duckdb, path: ./warehouse.duckdb }
connections:
  crm: { connector: hubspot, access_token: env:HUBSPOT_ACCESS_TOKEN }
`,
  'signals/churn.sql': `/*
key: customer_id
when: score > 0.8
rearm: score < 0.5
on: [entered, changed, left]
track: [plan]
observed_at: scored_at
*/
select s.customer_id, s.score, s.scored_at, p.plan -- from 'nowhere'
from scores as s join main.plans as p using (customer_id)
`,
  'sql/enrich/profile.sql': '/* fresh: 1m */\nselect customer_id, email from profiles\n',
  'destinations/contact.yaml': `connection: crm
action: upsert_contact
signals: [churn]
on: [entered, left]
when: plan != 'free'
enrich: profile
fields:
  email: "{{ email | downcase }}"
  plan: "{{ plan }}"
  since: "{{ now | date: '%Y-%m-%d' }} ({{ message.transition }})"
`,
};

export const shopTables = `
  create table scores (customer_id text, score decimal(4, 3), scored_at timestamptz);
  create table plans (customer_id text, plan text);
  create table profiles (customer_id text, email text);
`;

export interface Shop {
  root: string;
  warehouse: Awaited<ReturnType<typeof duckdbFile>>;
  /** Runs the text of a test; a complaint is thrown. */
  run(text: string): Promise<Difference[]>;
  close(): Promise<void>;
}

export async function openShop(files: Readonly<Record<string, string>> = shopFiles): Promise<Shop> {
  const warehouse = await duckdbFile();
  await warehouse.run(shopTables);
  const root = await mkdtemp(join(tmpdir(), 'readback-unit-'));
  const all = {
    ...files,
    'readback.yml': (files['readback.yml'] ?? '').replace('./warehouse.duckdb', warehouse.path),
  };
  for (const [file, text] of Object.entries(all)) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), text);
  }
  const project = await loadProject(root, { env: { HUBSPOT_ACCESS_TOKEN: 'pat' } });
  if (project.problems.length > 0) throw new Error(project.problems.map((one) => one.format()).join('\n'));
  return {
    root,
    warehouse,
    run: async (text) => {
      const problems: ReadbackError[] = [];
      const test = readUnitTest({ file: 'tests/t.yaml', name: 't', text }, problems);
      if (!test) throw problems[0] ?? new Error('no test');
      const warehouses = openWarehouses(project);
      try {
        return await runUnitTest(project, test, warehouses.warehouse);
      } finally {
        await warehouses.close();
      }
    },
    close: async () => {
      await warehouse.remove();
      await rm(root, { recursive: true });
    },
  };
}
