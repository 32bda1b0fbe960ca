import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { connector } from '../../src/connectors/http/index.ts';
import { emptyDatabase, type TestDatabase } from '../helpers/postgres.ts';
import { type Rig, rig } from '../helpers/project.ts';

const { erp } = parse(connector.example);

/** A Postgres warehouse with a stock table, one signal on it with a trigger, and an API that is told of what runs low. */
export interface Scene {
  house: Rig;
  warehouse: TestDatabase;
  /** What the API holds, by key. */
  held(): string[];
  close(): Promise<void>;
}

/** Out of reach of any test: whatever arrives, a trigger brought it. */
export const tomorrow = 'schedule: "0 0 1 1 *"';

/** @param header YAML lines of the signal's header besides key and when */
export async function scene(header: string, lanes = 1): Promise<Scene> {
  const warehouse = await emptyDatabase();
  await warehouse.pool.query(`
    create table stock (sku text primary key, on_hand integer not null);
    insert into stock select 'S-' || i, 50 from generate_series(1, 500) as i;
    create publication readback for table stock`);
  const house = await rig(
    {
      'readback.yml': stringify({
        project: 'rig',
        warehouses: { shop: { type: 'postgres', url: 'env:WAREHOUSE_URL' } },
        connections: {
          erp: {
            ...erp,
            base_url: 'env:HTTP_BASE_URL',
            bearer_token: 'env:HTTP_BEARER_TOKEN',
            rate_limit: { requests: 100_000, per: '1s' },
          },
        },
        api: { listen: '127.0.0.1:0', token: 'env:API_TOKEN' },
      }),
      'signals/low.sql': `/*\nkey: sku\nwhen: on_hand < 10\non: [entered, left]\n${header}\n*/\nselect sku, on_hand from stock`,
      'destinations/product.yaml': stringify({
        connection: 'erp',
        action: 'put_product',
        signals: ['low'],
        lanes,
        fields: { sku: '{{ sku }}', title: 'Low: {{ sku }}', reorder_point: '10' },
        verify: { lag: '100ms' },
      }),
    },
    'select 1',
    { WAREHOUSE_URL: warehouse.url, API_TOKEN: 'open-sesame' },
  );
  const sandbox = house.sandboxes.get('http') ?? assert.fail('no sandbox');
  return {
    house,
    warehouse,
    held: () =>
      sandbox
        .records()
        .map((record) => String(record.fields.sku))
        .sort(),
    close: async () => {
      await house.close();
      await warehouse.drop();
    },
  };
}

/** Waits for a fact, and fails after 20 s. */
export async function until(what: string, fact: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 20_000;
  while (!(await fact())) {
    if (performance.now() > end) assert.fail(`never: ${what}`);
    await sleep(10);
  }
}
