import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { Secret } from '../../src/config/secret.ts';
import { ReadbackError } from '../../src/errors.ts';
import { warehouse } from '../../src/warehouses/bigquery/index.ts';
import type { ReadOptions, Value, Warehouse } from '../../src/warehouses/warehouse.ts';
import { farmFingerprint } from './bigquery/farm.ts';
import type { Job } from './bigquery/jobs.ts';
import {
  type Asked,
  BigQueryServer,
  isCancel,
  isDryRun,
  isPage,
  isSubmission,
  serviceAccountKey,
} from './bigquery/server.ts';
import { patient } from './fixture.ts';

const many = 'select n from unnest(generate_array(0, 11999)) as n';
const thousands = 'unnest(generate_array(1, 10000))';
const slow = `select count(*) as n from ${thousands} as a, ${thousands} as b, ${thousands} as c where a * b * c = 7`;

describe('BigQuery', () => {
  let server: BigQueryServer;
  const opened: Warehouse[] = [];
  before(async () => {
    server = await BigQueryServer.open();
  });
  after(async () => {
    await Promise.all(opened.map((one) => one.close()));
    await server.close();
  });
  afterEach(() => {
    server.asked.length = 0;
    server.jobs.location = 'US';
  });

  const open = async (settings: Record<string, unknown> = {}) => {
    const credentials = new Secret(JSON.stringify(serviceAccountKey));
    const whole = { project: 'acme', dataset: 'main', credentials, endpoint: server.url, ...settings };
    const one = await warehouse.open(warehouse.schema.parse(whole));
    opened.push(one);
    return one;
  };
  const rowsOf = async (sql: string, options: Partial<ReadOptions> = {}, from?: Warehouse) => {
    const rows: Value[][] = [];
    const reading = (from ?? (await open())).read({ sql, params: [] }, { ...patient, ...options });
    for await (const batch of reading) rows.push(...batch);
    return rows;
  };
  const failureOf = (work: Promise<unknown>): Promise<ReadbackError> =>
    work.then(
      () => assert.fail('it went well'),
      (error: unknown) => (error instanceof ReadbackError ? error : assert.fail(String(error))),
    );
  const asked = (matches: (one: Asked) => boolean) => server.asked.filter(matches);
  const idsSubmitted = () =>
    asked(isSubmission).map(({ body }) => /"jobId":"([^"]+)"/.exec(JSON.stringify(body))?.[1] ?? '');
  const jobOf = (id = ''): Job => server.jobs.all.get(id) ?? assert.fail(`no job ${id}`);

  describe('asking twice', () => {
    for (const kind of ['cut', 'cut_after'] as const)
      it(`submits a job once more under its id when its connection is ${kind}, and it runs once`, async () => {
        const before = server.jobs.all.size;
        server.next(isSubmission, { kind });
        assert.equal((await rowsOf(many)).length, 12_000);
        const ids = idsSubmitted();
        assert.equal(ids.length, 2);
        assert.equal(ids[0], ids[1]);
        assert.equal(server.jobs.all.size, before + 1);
      });

    it('finds the job of a poll that a crash cut off, and makes a new one for another poll', async () => {
      const first = await rowsOf(many, { attempt: 'poll 1' });
      const crashed = idsSubmitted();
      assert.deepEqual(await rowsOf(many, { attempt: 'poll 1' }), first);
      await rowsOf(many, { attempt: 'poll 2' });
      await rowsOf(many);
      await rowsOf(many);
      assert.equal(new Set(idsSubmitted()).size, 4);
      assert.deepEqual(idsSubmitted().slice(0, 2), [...crashed, ...crashed]);
    });

    it('never takes a job that was cancelled, failed or is old for the answer', async () => {
      const controller = new AbortController();
      const given = rowsOf(slow, { attempt: 'poll 3', signal: controller.signal });
      while (server.running === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      controller.abort();
      await assert.rejects(given, /cancelled/);
      await jobOf(idsSubmitted()[0]).ended;
      await failureOf(rowsOf(slow, { attempt: 'poll 3', timeoutMs: 2000 }));
      const [cancelled = '', again, next = ''] = idsSubmitted();
      assert.equal(again, cancelled);
      assert.equal(next, cancelled.replace(/_1$/, '_2'));

      await rowsOf(many, { attempt: 'poll 4' });
      const old = idsSubmitted().at(-1);
      jobOf(old).createdMs -= patient.timeoutMs + 1;
      assert.equal((await rowsOf(many, { attempt: 'poll 4' })).length, 12_000);
      assert.notEqual(idsSubmitted().at(-1), old);
    });

    it('finds its jobs outside the US without being told where they are', async () => {
      server.jobs.location = 'europe-west3';
      server.next(isSubmission, { kind: 'cut_after' });
      assert.equal((await rowsOf(many)).length, 12_000);
      assert.ok(asked(isPage).every(({ query }) => query.location === 'europe-west3'));
    });
  });

  describe('faults', () => {
    it('are not tried again behind our back', async () => {
      const body = { error: { code: 503, message: 'try later', errors: [{ reason: 'backendError' }] } };
      server.next(isDryRun, { kind: 'answer', status: 503, body });
      const failure = await failureOf(rowsOf('select 1 as a'));
      assert.equal(failure.code, 'WAREHOUSE_UNREACHABLE');
      assert.equal(server.asked.length, 1);
      server.next(isPage, { kind: 'answer', status: 503, body });
      assert.equal((await failureOf(rowsOf('select 1 as a'))).code, 'WAREHOUSE_UNREACHABLE');
      assert.equal(asked(isPage).length, 1);
    });

    it('do not end the process when an answer has no job in it', async () => {
      for (const matches of [isDryRun, isSubmission, isPage])
        for (const body of [{}, '<html>welcome</html>', { jobComplete: true }]) {
          const times = matches === isSubmission ? 2 : 1;
          for (let time = 0; time < times; time++)
            server.next(matches, { kind: 'answer', status: 200, body });
          const failure = await failureOf(rowsOf('select 1 as a'));
          assert.equal(failure.code, 'WAREHOUSE_UNREACHABLE');
          assert.match(failure.format(), /something else than BigQuery/);
        }
    });

    it('end at our own deadline when nobody answers, and leave nothing running', async () => {
      for (const matches of [isDryRun, isSubmission, isPage]) {
        server.next(matches, { kind: 'silence' });
        const failure = await failureOf(rowsOf('select 1 as a', { timeoutMs: 300 }));
        assert.match(failure.message, /deadline of 300 ms/);
      }
      while (asked(isCancel).length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
      assert.equal(server.running, 0);
    });

    it('cancel the job on the server when the caller gives up', async () => {
      const controller = new AbortController();
      const reading = rowsOf(slow, { signal: controller.signal });
      while (server.running === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      controller.abort();
      await assert.rejects(reading, /cancelled/);
      const [id] = idsSubmitted();
      await jobOf(id).ended;
      assert.match(jobOf(id).error?.message ?? '', /User requested/);
      assert.ok(asked(isCancel).some(({ path }) => path.endsWith(`/jobs/${id}/cancel`)));
    });

    const refusals: [number, string, string, RegExp][] = [
      [401, 'authError', 'Request had invalid authentication credentials.', /check `credentials`/],
      [403, 'accessDenied', 'Access Denied: Table acme:main.t: denied', /roles\/bigquery\.dataViewer/],
    ];
    for (const [code, reason, message, hint] of refusals)
      it(`tell what to check after ${reason}, and no token`, async () => {
        server.next(isDryRun, {
          kind: 'answer',
          status: code,
          body: { error: { code, message, errors: [{ message, reason, domain: 'global' }] } },
        });
        const failure = await failureOf(rowsOf('select 1 as a'));
        assert.equal(failure.code, 'WAREHOUSE_UNREACHABLE');
        assert.match(String(failure.hint), hint);
        const told = inspect(failure, { depth: 20, showHidden: true });
        assert.ok(!told.includes(server.asked[0]?.token ?? ''), 'the token is in the error');
      });
  });

  describe('completeness', () => {
    const incomplete =
      (change: (page: object) => unknown, message: RegExp, sql = many) =>
      async () => {
        server.next(isPage, { kind: 'change', change });
        await assert.rejects(rowsOf(sql), { code: 'WAREHOUSE_INCOMPLETE', message });
      };
    it('reads page after page', async () => {
      assert.deepEqual(
        await rowsOf(many),
        Array.from({ length: 12_000 }, (_, n) => [String(n)]),
      );
      assert.equal(asked(isPage).length, 3);
    });
    it(
      'notices a row that is missing',
      incomplete((page) => ({ ...page, rows: [] }), /7000 rows arrived of 12000/),
    );
    it(
      'notices that the pages end too soon',
      incomplete((page) => ({ ...page, pageToken: '' }), /5000 rows arrived of 12000/),
    );
    it('notices a page that leads to itself', async () => {
      const pageToken = Buffer.from('5000').toString('base64url');
      for (let time = 0; time < 2; time++)
        server.next(isPage, { kind: 'change', change: (page) => ({ ...page, pageToken }) });
      await assert.rejects(rowsOf(many), { code: 'WAREHOUSE_INCOMPLETE', message: /same page/ });
    });
    it('refuses a row that is not as its schema says', async () => {
      server.next(isPage, { kind: 'change', change: (page) => ({ ...page, rows: [{ f: [] }] }) });
      await assert.rejects(rowsOf('select 1 as a'), {
        code: 'WAREHOUSE_UNREACHABLE',
        message: /as its schema says/,
      });
    });
  });

  describe('reading only', () => {
    it('refuses what BigQuery does not call one SELECT, without submitting it', async () => {
      const statementTypes = ['SCRIPT', 'CREATE_TABLE_AS_SELECT', undefined];
      for (const statementType of statementTypes) {
        const statistics = { totalBytesProcessed: '0', query: { statementType } };
        server.next(isDryRun, { kind: 'change', change: (job) => ({ ...job, statistics }) });
        await assert.rejects(rowsOf('select 1 as a'), { code: 'SIGNAL_SQL', message: /not a SELECT/ });
      }
      assert.equal(asked(isSubmission).length, 0);
    });

    it('points at a fault behind tabs, which BigQuery counts as up to eight columns', async () => {
      await server.engine.execute('create or replace table tabbed as select 1 as a');
      for (const sql of [
        'select\ta,\twrong\tfrom tabbed',
        '\twrong',
        "select '1234567',\twrong from tabbed",
      ]) {
        const failure = await failureOf((await open()).describe(sql, patient));
        assert.deepEqual(failure.place, { file: '', line: 1, column: sql.indexOf('wrong') + 1 }, sql);
      }
    });

    it('goes on with a job that waits and does not say yet what it is', async () => {
      const change = (job: object) => ({
        ...job,
        status: { state: 'PENDING' },
        statistics: { creationTime: '1' },
      });
      server.next(isSubmission, { kind: 'change', change });
      assert.deepEqual(await rowsOf('select 1 as a'), [['1']]);
    });

    it('goes where the settings say, whatever BIGQUERY_EMULATOR_HOST says', async () => {
      process.env.BIGQUERY_EMULATOR_HOST = 'http://127.0.0.1:1';
      try {
        assert.deepEqual(await rowsOf('select 1 as a'), [['1']]);
      } finally {
        delete process.env.BIGQUERY_EMULATOR_HOST;
      }
    });

    it('takes no address to which the token would go in the open', () => {
      const settings = (endpoint: string) =>
        warehouse.schema.safeParse({ project: 'acme', endpoint }).success;
      assert.deepEqual(['http://bigquery.example', 'https://bigquery.example'].map(settings), [false, true]);
    });
  });

  describe('cost', () => {
    it('is told without running anything', async () => {
      const one = await open();
      assert.deepEqual(await one.cost?.({ sql: many, params: [] }, patient), { bytes: 10_485_760n });
      assert.equal(asked(isSubmission).length, 0);
    });

    it('has a limit, which is the server’s to keep', async () => {
      const poor = await open({ maximum_bytes_billed: '10 MB' });
      const failure = await failureOf(rowsOf(many, {}, poor));
      assert.equal(failure.code, 'WAREHOUSE_QUERY');
      assert.match(failure.message, /limit for bytes billed: 10000000/);
      assert.match(String(failure.hint), /maximum_bytes_billed/);
      assert.equal((await rowsOf(many, {}, await open({ maximum_bytes_billed: '10MiB' }))).length, 12_000);
    });

    it('is labelled with the signal, and ends with the deadline', async () => {
      await rowsOf('select 1 as a', { label: 'Churn.Risk', timeoutMs: 5000 });
      const { request } = jobOf(idsSubmitted()[0]);
      assert.deepEqual(request.configuration.labels, { application: 'readback', readback_for: 'churn_risk' });
      assert.ok(Number(request.configuration.jobTimeoutMs) <= 5000);
      assert.match(idsSubmitted()[0] ?? '', /^readback_churn_risk_[0-9a-f]{40}_1$/);
    });
  });

  describe('values', () => {
    it('in arrays and structs are JSON, exact', async () => {
      await server.engine.execute(`create or replace table nested as select
        [1, 9007199254740993] as numbers, []::varchar[] as nothing,
        {'a': 'it''s "x"', 'b': [{'at': timestamptz '2024-03-15 12:34:56Z', 'on': date '2024-03-15'}]} as s,
        [1.5::double, 'nan'::double] as floats, [12.50::decimal(38, 9)] as amounts, [true, null] as flags`);
      const columns = await (await open()).describe('select * from nested', patient);
      assert.deepEqual(
        columns.map(({ type, nativeType }) => `${type} ${nativeType}`),
        [
          'json ARRAY<INT64>',
          'json ARRAY<STRING>',
          'json STRUCT<a STRING, b ARRAY<STRUCT<at TIMESTAMP, on DATE>>>',
          'json ARRAY<FLOAT64>',
          'json ARRAY<NUMERIC>',
          'json ARRAY<BOOL>',
        ],
      );
      assert.deepEqual(await rowsOf('select * from nested'), [
        [
          '[1,"9007199254740993"]',
          '[]',
          '{"a":"it\'s \\"x\\"","b":[{"at":"2024-03-15T12:34:56.000000Z","on":"2024-03-15"}]}',
          '[1.5,"NaN"]',
          '["12.5"]',
          '[true,null]',
        ],
      ]);
    });

    it('that are bytes are found again by their base64', async () => {
      const one = await open();
      const sql = `select b'\\xff\\x00' as id, 'it' as found union all select b'a', 'other'`;
      const [column] = await one.describe(sql, patient);
      assert.ok(column);
      const rows: Value[][] = [];
      for await (const batch of one.read(one.lookup(sql, [column], [['/wA=']]), patient)) rows.push(...batch);
      assert.deepEqual(rows, [['/wA=', 'it']]);
    });

    it('are hashed here as Google publishes them', () => {
      const published: [string, bigint][] = [
        ['1footrue', -1541654101129638711n],
        ['2applefalse', 2794438866806483259n],
        ['3true', -4880158226897771312n],
      ];
      for (const [text, hash] of published) assert.equal(farmFingerprint(text), hash);
    });
  });
});
