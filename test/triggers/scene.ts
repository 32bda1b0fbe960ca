import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { connector } from '../../src/connectors/http/index.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { Log } from '../../src/log.ts';
import { emptyDatabase, type TestDatabase } from '../helpers/postgres.ts';
import { type Rig, rig } from '../helpers/project.ts';

export const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

const { erp } = parse(connector.example);

/** A Postgres warehouse with a stock table, one signal on it with a trigger, and an API that is told of what runs low. */
export interface Scene {
  house: Rig;
  warehouse: TestDatabase;
  /** Starts a process of `start` and waits until it has a baseline, and follows where there is something to follow. */
  start(): Promise<void>;
  /** Ends it in order. */
  stop(): Promise<void>;
  /** One transaction of whoever fills the warehouse. */
  commit(...statements: string[]): Promise<void>;
  /** What the API holds, by key. */
  held(): string[];
  writes(sku: string): number;
  /** Who is in the set. */
  present(): Promise<string[]>;
  polls(cause: string, state: string): Promise<number>;
  /** Looks at single entities that found something. */
  looks(): Promise<number>;
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
  const count = async (from: string, values: string[] = []): Promise<number> => {
    const { rows } = await house.database.pool.query(`select count(*) from ${from}`, values);
    return Number(rows[0].count);
  };
  let engine: Engine | undefined;
  return {
    house,
    warehouse,
    start: async () => {
      const followed = await count("polls where cause = 'trigger'");
      engine = await house.engine({ scheduled: true });
      await until('a baseline', async () => (await count("polls where state = 'baseline'")) === 1);
      const follows = /listen|replicate/.test(header);
      if (follows)
        await until('following', async () => (await count("polls where cause = 'trigger'")) > followed);
      await until('its end', async () => (await count("polls where state in ('queued', 'running')")) === 0);
    },
    stop: async () => engine?.drain(),
    commit: async (...statements) => {
      const client = await warehouse.pool.connect();
      for (const statement of ['begin', ...statements, 'commit']) await client.query(statement);
      client.release();
    },
    writes: (sku) => sandbox.records().find((record) => record.fields.sku === sku)?.writes ?? 0,
    present: async () => {
      const { rows } = await house.database.pool.query(
        'select entity from entities where present order by entity',
      );
      return rows.map((row) => row.entity);
    },
    polls: (cause, state) => count('polls where cause = $1 and state = $2', [cause, state]),
    looks: () => count("polls where cause = 'trigger' and members is null"),
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
