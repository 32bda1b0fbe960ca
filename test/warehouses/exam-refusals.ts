import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import { inspect } from 'node:util';
import { ReadbackError } from '../../src/errors.ts';
import type { WarehouseType } from '../../src/warehouses/warehouse.ts';
import { type Candidate, patient } from './fixture.ts';

const writes = [
  'insert into stock values (2)',
  'insert into stock values (2) returning id',
  'update stock set id = 3',
  'delete from stock',
  'drop table stock',
  'truncate stock',
  'create table other (id bigint)',
  'create table other as select 1 as id',
  'alter table stock add column more bigint',
  'begin',
  'commit',
  'explain select 1',
  'select 1; select 2',
  'select 1; drop table stock',
  'select 1) as q; drop table stock; select * from (select 1',
];

export function examineRefusals(candidate: Candidate, type: WarehouseType): void {
  before(async () => {
    await candidate.fixture.execute('create table stock (id bigint)');
    await candidate.fixture.execute('insert into stock values (1)');
  });

  it('refuses whatever is not one query, and nothing has happened', async () => {
    const { warehouse, fixture, rows } = candidate;
    for (const sql of [...writes, ...fixture.dialect.forbidden, '', '-- nothing', ';']) {
      await assert.rejects(rows(sql), { code: 'SIGNAL_SQL' }, `read: ${sql}`);
      await assert.rejects(warehouse.describe(sql, patient), { code: 'SIGNAL_SQL' }, `describe: ${sql}`);
    }
    assert.deepEqual(await rows('select * from stock'), [['1']]);
    await assert.rejects(rows('select * from other'), { code: 'SIGNAL_SQL' });
  });

  const places: [string, number, number][] = [
    ['selec 1', 1, 1],
    ['select id,\n  wrong\nfrom stock', 2, 3],
    ['select id\nfrom nowhere', 2, 6],
    ["select 'é€😀', wrong from stock", 1, 15],
    ['select id, from_here +\nfrom stock', 2, 1],
  ];
  for (const [sql, line, column] of places) {
    it(`points at the fault in ${JSON.stringify(sql)}`, async () => {
      const { warehouse, rows } = candidate;
      for (const attempt of [() => warehouse.describe(sql, patient), () => rows(sql)]) {
        const error = await attempt().then(() => assert.fail('accepted'), same);
        assert.ok(error instanceof ReadbackError);
        assert.equal(error.code, 'SIGNAL_SQL');
        assert.deepEqual(error.place, { file: '', line, column }, error.message);
      }
    });
  }

  it('says what a misspelt column may have meant', async () => {
    const error = await candidate.warehouse.describe('select idd from stock', patient).catch(same);
    const words = candidate.fixture.dialect.suggestsNames === false ? /\bidd\b/i : /"?\bid\b"?/;
    assert.match((error as ReadbackError).format(), words);
  });

  it('prepares without running', async () => {
    const started = performance.now();
    const columns = await candidate.warehouse.describe(candidate.fixture.dialect.slow, patient);
    assert.equal(columns.length, 1);
    assert.ok(performance.now() - started < 5000);
  });

  it('says that it cannot be reached, and never a secret', async () => {
    const { settings, secret } = candidate.fixture.unreachable;
    const absent = await type.open(type.schema.parse(settings));
    const attempts = [
      () => absent.check({ timeoutMs: 2000 }),
      () => absent.describe('select 1', { timeoutMs: 2000 }),
      () => absent.read({ sql: 'select 1', params: [] }, { timeoutMs: 2000 })[Symbol.asyncIterator]().next(),
    ];
    for (const attempt of attempts) {
      const error = await Promise.resolve(attempt()).then(() => assert.fail('reached'), same);
      assert.ok(error instanceof ReadbackError);
      assert.equal(error.code, 'WAREHOUSE_UNREACHABLE');
      assert.ok(error.hint, 'there is a hint');
      const told = inspect(error, { depth: 10, showHidden: true });
      assert.ok(!told.includes(secret), 'the secret is in the error');
    }
    await absent.close();
  });
}

function same(error: unknown): unknown {
  return error;
}
