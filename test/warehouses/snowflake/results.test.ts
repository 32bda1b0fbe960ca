import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import type { ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Deadline } from '../../../src/warehouses/deadline.ts';
import { loginOf } from '../../../src/warehouses/snowflake/login.ts';
import { readRows } from '../../../src/warehouses/snowflake/read.ts';
import { Session } from '../../../src/warehouses/snowflake/session.ts';
import { type Settings, settingsSchema } from '../../../src/warehouses/snowflake/settings.ts';
import { patient } from '../fixture.ts';
import { settingsFor, withAccount } from './account.ts';
import { chunkRows } from './engine.ts';
import { answerWith, spoilChunk } from './handmade.ts';

const series = (count: number) => `select seq8() as n from table(generator(rowcount => ${count}))`;
const threeChunks = series(3 * chunkRows);

describe('Snowflake results', () => {
  const hostile = [
    'globalThis.pwned = 1, 42',
    'process.exit(3)',
    '{"a": undefined}',
    'NaN',
    '<a/>',
    '(() => { throw 1 })()',
  ];

  it('never run what is in a variant as code', async () => {
    await withAccount(async ({ open, server, rows }) => {
      answerWith(server, {
        rowtype: [{ name: 'V', type: 'variant' }],
        rowset: hostile.map((text) => [text]),
      });
      assert.deepEqual(
        await rows(await open(), 'select v from t'),
        hostile.map((text) => [text]),
      );
      assert.ok(!('pwned' in globalThis));
      // That these are hostile: the driver by itself runs them.
      const alone = fileURLToPath(new URL('./driver-alone.ts', import.meta.url));
      const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', alone, server.url]);
      assert.match(stdout, /pwned is 1/);
    });
  });

  it('survive what the driver’s conversions do not', async () => {
    await withAccount(async ({ open, server, rows }) => {
      const fields = [{ type: 'boolean', nullable: true }];
      answerWith(server, {
        rowtype: [
          { name: 'A', type: 'array', fields },
          { name: 'B', type: 'boolean' },
          { name: 'N', type: 'fixed', scale: 0 },
        ],
        rowset: [
          ['[true,null]', '1', '12345678901234567890123456789012345678'],
          [null, null, null],
        ],
      });
      assert.deepEqual(await rows(await open(), 'select 1'), [
        ['[true,null]', 'true', '12345678901234567890123456789012345678'],
        [null, null, null],
      ]);
      assert.deepEqual(server.seenAt(/telemetry/), []);
      answerWith(server, {
        rowtype: [{ name: 'AT', type: 'timestamp_ntz', scale: 9 }],
        rowset: [['yesterday']],
      });
      await assert.rejects(rows(await open(), 'select 1'), {
        code: 'WAREHOUSE_QUERY',
        message: /AT holds a value/,
      });
    });
  });

  it('are exact whatever the settings of the session, and of another one at the same time', async () => {
    const formats = (value: string) =>
      ['TIMESTAMP_OUTPUT_FORMAT', 'TIMESTAMP_NTZ_OUTPUT_FORMAT', 'DATE_OUTPUT_FORMAT', 'TIMEZONE'].map(
        (name) => ({ name, value }),
      );
    const made = (value: string) => ({
      rowtype: ['timestamp_ntz', 'timestamp_ltz', 'timestamp_tz', 'date', 'time'].map((type) => ({
        name: type.toUpperCase(),
        type,
        scale: 9,
      })),
      rowset: [['1769851800.123456000', '-0.500000000', '1769851800.000000001 1560', '20484', '34200.5']],
      parameters: [...formats(value), { name: 'JS_TREAT_INTEGER_AS_BIGINT', value: true }],
    });
    const expected = [
      [
        '2026-01-31T09:30:00.123456',
        '1969-12-31T23:59:59.500000Z',
        '2026-01-31T09:30:00.000000001Z',
        '2026-01-31',
        '09:30:00.500000',
      ],
    ];
    await withAccount(async (one) => {
      await withAccount(async (other) => {
        answerWith(one.server, made('YYYY'));
        answerWith(other.server, made('Asia/Tokyo'));
        const [first, second] = [await one.open(), await other.open()];
        const all = Array.from({ length: 6 }, (_, at) => one.rows(at % 2 ? first : second, 'select 1'));
        for (const found of await Promise.all(all)) assert.deepEqual(found, expected);
      });
    });
  });

  it('name columns as a project does, and refuse a name that could not be told from another', async () => {
    await withAccount(async ({ open, server }) => {
      const one = await open();
      const named = (...names: string[]) =>
        answerWith(server, { rowtype: names.map((name) => ({ name, type: 'text' })), rowset: [] });
      named('ID', 'FIRST_NAME', 'lastName', 'E MAIL', '_1');
      assert.deepEqual(
        (await one.describe('select 1', patient)).map(({ name }) => name),
        ['id', 'first_name', 'lastName', 'E MAIL', '_1'],
      );
      named('id');
      await assert.rejects(one.describe('select 1', patient), {
        code: 'SIGNAL_SQL',
        hint: /select "id" as id/,
      });
    });
  });

  const html = (response: ServerResponse) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Sorry</h1>');
  const short = (response: ServerResponse) => response.writeHead(200).end('["1"],["2"]');
  const half = (response: ServerResponse) => response.writeHead(200).end('["1"],["2"');
  const nothing = (response: ServerResponse) => response.writeHead(200).end();
  const notRows = (response: ServerResponse) => response.writeHead(200).end('null,{"a":1}');
  for (const [name, spoil] of Object.entries({ html, short, half, nothing, notRows }))
    for (const at of [0, 1, 2])
      it(`are refused when part ${at} comes as ${name}, and the process lives`, async () => {
        await withAccount(async ({ open, server, rows }) => {
          server.interfere = spoilChunk(at, 1000, spoil);
          await assert.rejects(rows(await open(), threeChunks), { code: 'WAREHOUSE_INCOMPLETE' });
        });
      });

  const busy = (response: ServerResponse) => response.writeHead(503).end();
  const cut = (response: ServerResponse) => {
    response.writeHead(200, { 'content-length': '100000' }).write('["1"],');
    setTimeout(() => response.destroy(), 20);
  };
  for (const [name, spoil] of Object.entries({ busy, cut }))
    it(`are complete when a part is ${name} once`, async () => {
      await withAccount(async ({ open, server, rows }) => {
        server.interfere = spoilChunk(1, 1, spoil);
        const found = await rows(await open(), threeChunks);
        assert.equal(found.length, 3 * chunkRows);
        assert.equal(new Set(found.map(([n]) => n)).size, 3 * chunkRows);
        assert.equal(server.seenAt(/chunks.*\/1$/).length, 2);
      });
    });

  it('are refused when a part is gone', async () => {
    await withAccount(async ({ open, server, rows }) => {
      server.interfere = spoilChunk(1, 1000, (response) => response.writeHead(404).end());
      await assert.rejects(rows(await open(), threeChunks), { code: 'WAREHOUSE_INCOMPLETE' });
    });
  });

  it('are refused when the server says that there are more', async () => {
    await withAccount(async ({ open, server, rows }) => {
      answerWith(server, { rowtype: [{ name: 'A', type: 'text' }], rowset: [['1'], ['2']], total: 3 });
      await assert.rejects(rows(await open(), 'select 1'), {
        code: 'WAREHOUSE_INCOMPLETE',
        message: /2 rows arrived of 3/,
      });
    });
  });

  it('are given up when a part stays away, long before the deadline', async () => {
    await withAccount(async ({ server }) => {
      const kept: ServerResponse[] = [];
      server.interfere = spoilChunk(1, 1000, (response) => kept.push(response));
      const settings = settingsSchema.parse(settingsFor(server)) as Settings;
      const session = new Session(loginOf(settings), 'alter session set timezone = 1');
      const deadline = new Deadline(patient);
      const statement = await session.run({ sql: threeChunks }, deadline);
      const reading = async () => {
        for await (const _ of readRows(statement, deadline, 200));
      };
      await assert.rejects(reading(), { code: 'WAREHOUSE_INCOMPLETE', message: /nothing came for 200 ms/ });
      deadline.dispose();
      // Or the driver would ask again, for two minutes.
      for (const response of kept) response.writeHead(404).end();
      await session.close();
    });
  });

  it('take memory for two parts, not for all', async () => {
    await withAccount(async ({ open, server }) => {
      // 10 parts of 20 MB each.
      const sql = `select seq8() as n, repeat('x', 1000) as filler from table(generator(rowcount => ${10 * chunkRows}))`;
      const one = await open();
      const before = liveHeap();
      let most = 0;
      let read = 0;
      let batches = 0;
      for await (const batch of one.read({ sql, params: [] }, patient)) {
        read += batch.length;
        if (batches++ % 10 === 0) most = Math.max(most, liveHeap());
      }
      assert.equal(read, 10 * chunkRows);
      assert.equal(server.seenAt(/chunks/).length, 10);
      const grown = Math.round((most - before) / 1e6);
      assert.ok(grown < 100, `the heap grew by ${grown} MB`);
    });
  });
});

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

function liveHeap(): number {
  collect();
  return process.memoryUsage().heapUsed;
}
