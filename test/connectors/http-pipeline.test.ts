import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { fingerprints } from '../../src/config/fingerprint.ts';
import type { FaultKind, Sandbox } from '../../src/connectors/connector.ts';
import { connector } from '../../src/connectors/http/index.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { type Rig, rig } from '../helpers/project.ts';

const { erp } = parse(connector.example);
const connections = {
  erp: { ...erp, base_url: 'env:HTTP_BASE_URL', bearer_token: 'env:HTTP_BEARER_TOKEN', timeout: '1s' },
};
const destination = (action: string, fields: Record<string, string>) =>
  stringify({ connection: 'erp', action, signals: ['low'], fields, verify: { lag: '300ms' } });
const files = {
  'readback.yml': stringify({
    project: 'rig',
    warehouses: { analytics: { type: 'duckdb', path: './warehouse.duckdb' } },
    connections,
  }),
  'signals/low.sql': '/*\nkey: sku\nwhen: on_hand < 10\n*/\nselect sku, on_hand from stock',
  'destinations/keyed.yaml': destination('create_purchase_order', {
    reference: 'PO-{{ sku }}',
    supplier: 'acme',
    sku: '{{ sku }}',
    quantity: '{{ 100 | minus: on_hand }}',
  }),
  'destinations/upsert.yaml': destination('put_product', {
    sku: '{{ sku }}',
    title: 'Low: {{ sku }}',
    reorder_point: '10',
  }),
  'destinations/plain.yaml': destination('create_order', {
    reference: '{{ sku }}',
    note: 'from stock {{ sku }}',
  }),
  'destinations/noted.yaml': `${destination('add_note', { text: 'only {{ on_hand }} left' })}follows: keyed\n`,
};

let house: Rig;
let engine: Engine;
let sandbox: Sandbox;
let next = 0;

before(async () => {
  house = await rig(
    files,
    "create table stock as select 'S-' || i as sku, 50 as on_hand from range(20) as r (i)",
  );
  sandbox = house.sandboxes.get('http') ?? assert.fail('no sandbox');
  engine = await house.engine();
  await poll();
});
after(() => house.close());

async function poll(): Promise<void> {
  await engine.poll(house.project.signals.get('low') ?? assert.fail('no signal'));
}

/** One more product runs low, while the API does this to the first write of one destination; its states then. */
async function runsLow(kind?: FaultKind, path = ''): Promise<Record<string, string | undefined>> {
  next += 1;
  const sku = `S-${next}`;
  if (kind) sandbox.inject({ kind, match: `${path}\n` });
  await house.warehouse.run(`update stock set on_hand = 3 where sku = '${sku}'`);
  await poll();
  const states: Record<string, string | undefined> = {};
  for (const name of ['keyed', 'upsert', 'plain', 'noted']) states[name] = (await house.settled(name))[sku];
  return states;
}

/** How many records of a type the ERP holds for the product of this test. */
function records(type: string): number {
  return sandbox
    .records()
    .filter((one) => one.type === type && JSON.stringify(one.fields).includes(`S-${next}"`)).length;
}

const well = { keyed: 'verified', upsert: 'verified', plain: 'verified', noted: 'verified' };

test('a described API is acted on, followed, and read back', async () => {
  assert.deepEqual(await runsLow(), well);
  assert.deepEqual([records('purchase_orders'), records('products'), records('orders')], [1, 1, 1]);
  const [order] = sandbox.records().filter((one) => one.type === 'purchase_orders');
  assert.deepEqual(order?.fields.lines, [{ sku: 'S-1', quantity: 97 }]);
});

test('a plain API that took the order and cut the connection is read, and not asked again', async () => {
  assert.deepEqual(await runsLow('cut_after_write', 'POST /api/orders'), well);
  assert.equal(records('orders'), 1);
});

test('a plain API that may have taken the order is left to a person, never asked again', async () => {
  assert.deepEqual(await runsLow('error_before_write', 'POST /api/orders'), { ...well, plain: 'escalated' });
  assert.equal(records('orders'), 0);
});

test('a keyed API that may have taken the order is asked again with the same key, and orders once', async () => {
  assert.deepEqual(await runsLow('error_before_write', 'POST /api/purchase-orders'), well);
  assert.equal(records('purchase_orders'), 1);
  assert.deepEqual(await runsLow('error_after_write', 'POST /api/purchase-orders'), well);
  assert.equal(records('purchase_orders'), 1);
});

test('another description of an action makes its destinations modified ones', () => {
  const before = fingerprints(house.project).destinations;
  const connection = house.project.connections.get('erp') ?? assert.fail('no connection');
  const { put_product: product } = connection.actions;
  assert.ok(product);
  const actions = { ...connection.actions, put_product: { ...product, version: 'another' } };
  const changed = { ...house.project, connections: new Map([['erp', { ...connection, actions }]]) };
  const after = fingerprints(changed).destinations;
  assert.deepEqual(
    Object.keys(before).filter((name) => before[name] !== after[name]),
    ['upsert'],
  );
});
