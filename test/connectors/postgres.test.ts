import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Secret } from '../../src/config/secret.ts';
import type { CallOptions, Client, Sandbox } from '../../src/connectors/connector.ts';
import { connector } from '../../src/connectors/postgres/index.ts';
import { upsertOptions } from '../../src/connectors/postgres/schema.ts';
import { examine } from '../contract.ts';

/** Keeps the sandboxes' server running from one question to the next. */
let keeper: Sandbox;
before(async () => {
  keeper = await connector.sandbox();
});
after(() => keeper.close());

const order = (n: number) => ({
  sku: ` SKU-${n} `,
  quantity: `${n + 10}`,
  unit_price: `${n}.50`,
  ordered_at: `2027-01-3${n % 2}T10:00:00+02:00`,
  approved: 'true',
  details: `{"colour": "red", "boxes": [1, ${n}]}`,
});

const upsert = { table: 'public.purchase_orders', key: ['po_number'] };
const insert = { table: 'public.purchase_orders', readback_key: 'readback_key' };

/** Asks for a row that is not there, so that the catalogue is known and a write is one statement. */
const known =
  (action: string, options: Record<string, unknown>) => async (client: Client, call: CallOptions) => {
    const item = {
      key: 'known',
      id: undefined,
      locator: { po_number: 'none' },
      parentId: undefined,
      fields: ['sku'],
    };
    await client.read(action, options, [item], call);
  };

examine(connector, {
  upsert_row: {
    type: 'purchase_orders',
    options: upsert,
    prepare: known('upsert_row', upsert),
    fields: (n) => ({ po_number: `PO-${n}`, ...order(n) }),
    writes: 'insert into',
    reads: 'as standing',
    saysWhen: false,
  },
  insert_row: {
    type: 'purchase_orders',
    options: insert,
    prepare: known('insert_row', insert),
    fields: (n) => ({ po_number: `PO-${n}`, ...order(n) }),
    writes: 'insert into',
    reads: 'as standing',
    saysWhen: false,
  },
});

describe('rows of a table', () => {
  let sandbox: Sandbox;
  let client: Client;
  const call = (): CallOptions => ({ signal: new AbortController().signal, timeoutMs: 5_000 });
  const item = (key: string, fields: Record<string, string>) => ({
    key,
    requestKey: key,
    mayRepeat: true,
    parentId: undefined,
    fields,
  });
  before(async () => {
    sandbox = await connector.sandbox();
    const settings = { ...sandbox.settings, password: new Secret(sandbox.settings.password ?? '') };
    const gate = { pass: async () => () => {}, heed: () => {} };
    client = await connector.open(connector.schema.parse(settings), gate);
  });
  after(async () => {
    await client.close();
    await sandbox.close();
  });

  test('500 rows of which two are refused take a few statements, and 498 are written', async () => {
    const items = Array.from({ length: 500 }, (_, n) =>
      item(`many-${n}`, { po_number: `MANY-${n}`, quantity: n === 7 || n === 400 ? 'a few' : `${n}` }),
    );
    const before = sandbox.requests().length;
    const outcomes = [...(await client.write('upsert_row', upsert, items, call()))];
    const kinds = (kind: string) =>
      outcomes.filter(([, outcome]) => outcome.kind === kind).map(([key]) => key);
    assert.equal(kinds('applied').length, 498);
    assert.deepEqual(kinds('rejected').sort(), ['many-400', 'many-7']);
    const statements = sandbox.requests().length - before;
    assert.ok(statements <= 2 * 2 * Math.ceil(Math.log2(500)) + 2, `${statements} statements`);
  });
  test('two rows with the same key in one batch are written one after the other', async () => {
    const items = [1, 2].map((n) => item(`twice-${n}`, { po_number: 'TWICE', quantity: `${n}` }));
    const outcomes = await client.write('upsert_row', upsert, items, call());
    assert.deepEqual(
      [...outcomes.values()].map(({ kind }) => kind),
      ['applied', 'applied'],
    );
    const [record] = sandbox.records().filter(({ fields }) => fields.po_number === 'TWICE');
    assert.deepEqual([record?.writes, record?.fields.quantity], [2, 2]);
  });
  test('a text that is too long is refused, not cut; a blank number is null', async () => {
    const long = item('long', { po_number: 'LONG', note: 'x'.repeat(201) });
    const blank = item('blank', { po_number: 'BLANK', quantity: '', note: '' });
    const outcomes = await client.write('upsert_row', upsert, [long, blank], call());
    const refused = outcomes.get('long');
    assert.ok(refused?.kind === 'rejected' && refused.code === '22001', JSON.stringify(refused));
    const [record] = sandbox.records().filter(({ fields }) => fields.po_number === 'BLANK');
    assert.deepEqual([record?.fields.quantity, record?.fields.note], [null, '']);
  });
  test('a second insert of the same action is told as already done, and changes nothing', async () => {
    const first = item('once', { sku: 'first' });
    assert.equal((await client.write('insert_row', insert, [first], call())).get('once')?.kind, 'applied');
    const second = item('once', { sku: 'second' });
    assert.equal((await client.write('insert_row', insert, [second], call())).get('once')?.kind, 'already');
    const rows = sandbox.records().filter(({ fields }) => /^(first|second)$/.test(String(fields.sku)));
    assert.deepEqual(
      rows.map(({ fields }) => fields.sku),
      ['first'],
    );
  });
  test('names are quoted, whatever they hold', async () => {
    const options = { ...upsert, key: ['po_number'] };
    const hostile = item('hostile', { po_number: `'; drop table purchase_orders; --`, sku: `"'\\` });
    assert.equal(
      (await client.write('upsert_row', options, [hostile], call())).get('hostile')?.kind,
      'applied',
    );
    const injected = { table: 'public.x"; drop table y; --', key: ['id'] };
    assert.ok(!upsertOptions.safeParse(injected).success);
  });
  test('doctor tells of a missing table, a missing right and a missing index', async () => {
    const said = async (options: Record<string, unknown>) =>
      (await client.check([{ action: 'upsert_row', options }], call())).map(({ problem }) => problem);
    assert.match((await said({ table: 'public.missing', key: ['id'] })).join(), /no table/);
    assert.match(
      (await said({ table: 'sandbox.purchase_orders', key: ['id'] })).join(),
      /no right to insert and update/,
    );
    assert.match((await said({ table: 'public.purchase_orders', key: ['sku'] })).join(), /no unique index/);
    assert.deepEqual(await said(upsert), []);
  });
});
