import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Secret } from '../../src/config/secret.ts';
import type { CallOptions, Client, Sandbox } from '../../src/connectors/connector.ts';
import { canonical } from '../../src/connectors/postgres/canonical.ts';
import { connector } from '../../src/connectors/postgres/index.ts';
import { upsertOptions } from '../../src/connectors/postgres/schema.ts';
import { examine } from '../contract.ts';
import { freshDatabase } from '../helpers/postgres.ts';

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
  delete_row: {
    type: 'purchase_orders',
    options: insert,
    fields: () => ({ deleted: 'true' }),
    parent: async (client, call, n) => {
      const key = `order-${n}`;
      const item = { key, requestKey: key, mayRepeat: false, fields: order(n), parentId: undefined };
      const outcome = (await client.write('insert_row', insert, [item], call)).get(key);
      return outcome?.kind === 'applied' ? outcome.id : assert.fail(JSON.stringify(outcome));
    },
    prepare: known('delete_row', insert),
    writes: 'delete from',
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
  /** What an undoing of this row's insertion would know. */
  const undoing = (key: string, parentId: string, fields: Record<string, string>) => ({
    ...item(key, { deleted: 'true' }),
    parentId,
    undone: {
      fields: Object.keys(fields),
      isAsWritten: (field: string, value: unknown) =>
        canonical(field, value) === canonical(field, fields[field]),
    },
  });
  const inserted = async (key: string, fields: Record<string, string>) => {
    const outcome = (await client.write('insert_row', insert, [item(key, fields)], call())).get(key);
    return outcome?.kind === 'applied' ? outcome.id : assert.fail(JSON.stringify(outcome));
  };
  const asked = (key: string, parentId: string) => ({
    key,
    id: undefined,
    locator: {},
    parentId,
    fields: ['deleted'],
  });
  const undo = async (key: string, id: string, fields: Record<string, string>) =>
    (await client.write('delete_row', insert, [undoing(key, id, fields)], call())).get(key);
  test('a row is taken back as it was inserted, and once it is gone that is what is told', async () => {
    const id = await inserted('whole', order(1));
    assert.equal((await undo('whole-undo', id, order(1)))?.kind, 'applied');
    assert.equal((await undo('whole-undo', id, order(1)))?.kind, 'already');
  });
  test('a row that somebody has changed since is not taken back, and it is said which column', async () => {
    for (const [column, change] of Object.entries({ quantity: '7', note: 'ordered by phone' })) {
      const key = `changed-${column}`;
      const id = await inserted(key, { po_number: key, ...order(1) });
      await client.write(
        'upsert_row',
        upsert,
        [item(`${key}-2`, { po_number: key, [column]: change })],
        call(),
      );
      const outcome = await undo(`${key}-undo`, id, { po_number: key, ...order(1) });
      assert.ok(outcome?.kind === 'rejected' && outcome.permanent, JSON.stringify(outcome));
      assert.match(outcome.reason, new RegExp(`somebody has changed ${column} since`));
      assert.deepEqual((await client.read('delete_row', insert, [asked(key, id)], call())).get(key), {
        kind: 'found',
        id,
        fields: { deleted: 'false' },
      });
    }
  });
  test('a row that is changed after it was looked at is not taken back', async () => {
    const fields = { po_number: 'RACE', ...order(1) };
    const id = await inserted('race', fields);
    sandbox.inject({ kind: 'slow', delayMs: 500, match: 'delete from' });
    const undone = undo('race-undo', id, fields);
    while (!sandbox.requests().some(({ method, status }) => method === 'WRITE' && status === 0))
      await sleep(5);
    await client.write('upsert_row', upsert, [item('race-2', { po_number: 'RACE', quantity: '8' })], call());
    assert.equal((await undone)?.kind, 'ambiguous');
    const [record] = sandbox.records().filter((one) => one.fields.po_number === 'RACE');
    assert.equal(record?.fields.quantity, 8);
  });
  test('a row with others that would go with it is not taken back', async () => {
    const database = await freshDatabase();
    const settings = connector.schema.parse({ url: new Secret(database.url) });
    const other = await connector.open(settings, { pass: async () => () => {}, heed: () => {} });
    try {
      await database.pool.query(`
        create table public.orders (readback_key text primary key, sku text);
        create table public.lines (of text references public.orders on delete cascade);
        insert into public.orders values ('A', 'chair'), ('B', 'chair'); insert into public.lines values ('A')`);
      const options = { table: 'public.orders', readback_key: 'readback_key' };
      const one = undoing('lines-undo', 'A', { sku: 'chair' });
      const outcome = (await other.write('delete_row', options, [one], call())).get(one.key);
      assert.ok(outcome?.kind === 'rejected' && outcome.permanent, JSON.stringify(outcome));
      assert.match(outcome.reason, /rows of lines would be deleted/);
      await database.pool.query('alter table public.lines drop constraint lines_of_fkey');
      assert.equal((await other.write('delete_row', options, [one], call())).get(one.key)?.kind, 'applied');
    } finally {
      await other.close();
      await database.drop();
    }
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
