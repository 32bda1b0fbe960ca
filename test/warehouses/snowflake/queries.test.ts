import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patient } from '../fixture.ts';
import { settingsFor, withAccount } from './account.ts';
import { isQuery, sendJson } from './handmade.ts';

const slow =
  'select count(*) as n from table(generator(rowcount => 100000000000)) as a, table(generator(rowcount => 1000)) as b';

describe('Snowflake queries', () => {
  it('say in the query history which signal they are for, and how long they may take', async () => {
    await withAccount(async ({ open, server, rows }) => {
      await rows(await open(), 'select 1', { label: 'churn_risk', timeoutMs: 90_500 });
      const sent = server.seen.filter(isQuery);
      assert.equal(sent.length, 3);
      for (const { body } of sent) {
        assert.equal(body.parameters.QUERY_TAG, 'readback churn_risk');
        assert.equal(body.parameters.MULTI_STATEMENT_COUNT, 1);
        assert.ok(
          body.parameters.STATEMENT_TIMEOUT_IN_SECONDS <= 91 &&
            body.parameters.STATEMENT_TIMEOUT_IN_SECONDS > 80,
        );
      }
      assert.deepEqual(
        sent.map(({ body }) => body.describeOnly === true),
        [true, true, false],
      );
    });
  });

  it('are cancelled on the server, by request before it has given them a number and by number afterwards', async () => {
    await withAccount(async ({ open, server, rows }) => {
      const one = await open();
      await one.check(patient);
      await assert.rejects(rows(one, slow, { timeoutMs: 250 }), { message: /deadline of 250 ms/ });
      await until(() => server.running() === 0);
      assert.ok(server.seenAt(/^\/queries\/v1\/abort-request$/).some(({ body }) => body.requestId));
      await assert.rejects(rows(one, slow, { timeoutMs: 900 }), { message: /deadline of 900 ms/ });
      await until(() => server.running() === 0);
      assert.equal(server.seenAt(/^\/queries\/01[^/]*\/abort-request$/).length, 1);
    });
  });

  it('tell what the server ended: at its timeout, or for somebody', async () => {
    await withAccount(async ({ open, server, rows }) => {
      const one = await open();
      const ended = (code: string, message: string) => {
        server.interfere = (seen, response) =>
          isQuery(seen) &&
          !seen.body.describeOnly &&
          sendJson(response, {
            success: false,
            code,
            message,
            data: { errorCode: code, sqlState: '57014', line: -1, pos: -1 },
          });
        return rows(one, 'select 1');
      };
      const timeout = ended(
        '000630',
        'Statement reached its statement or warehouse timeout of 60 second(s) and was canceled.',
      );
      await assert.rejects(timeout, { code: 'WAREHOUSE_QUERY', message: /ran past its deadline/ });
      await assert.rejects(ended('000604', 'SQL execution canceled'), {
        code: 'WAREHOUSE_QUERY',
        message: 'SQL execution canceled',
      });
    });
  });

  it('run once, however often the driver sends them', async () => {
    await withAccount(async ({ open, server, rows }) => {
      const one = await open();
      await one.check(patient);
      let failures = 2;
      server.interfere = async (seen, response) => {
        if (!isQuery(seen) || seen.body.describeOnly || failures-- <= 0) return false;
        // The server has it, and its answer is lost.
        server.queries.submit(seen.query.get('requestId') ?? '', seen.body);
        response.writeHead(503).end();
        return true;
      };
      const before = server.queries.all.length;
      assert.deepEqual(await rows(one, 'select 7 as n'), [['7']]);
      const sent = server.seen.filter((seen) => isQuery(seen) && !seen.body.describeOnly).slice(1);
      assert.equal(sent.length, 3);
      assert.equal(new Set(sent.map(({ query }) => query.get('requestId'))).size, 1);
      assert.equal(server.queries.all.length - before, 3, 'two that were compiled, one that ran');
    });
  });

  it('end at the deadline, whatever the driver still tries', async () => {
    await withAccount(async ({ open, server, rows }) => {
      const one = await open();
      await one.check(patient);
      const kept: ServerResponse[] = [];
      const answers: Record<string, (response: ServerResponse) => void> = {
        busy: (response) => response.writeHead(503).end(),
        silent: (response) => kept.push(response),
      };
      for (const [name, answer] of Object.entries(answers)) {
        server.interfere = (seen, response) => {
          if (!isQuery(seen)) return false;
          answer(response);
          return true;
        };
        const started = performance.now();
        await assert.rejects(
          rows(one, 'select 1', { timeoutMs: 300 }),
          { message: /deadline of 300 ms/ },
          name,
        );
        assert.ok(performance.now() - started < 5000);
      }
      // Or the driver would go on asking for minutes.
      server.interfere = () => false;
      for (const response of kept)
        sendJson(response, { success: false, code: '000604', message: '', data: {} });
      await until(() => server.queries.all.length === 4);
    });
  });

  it('never leave the process in doubt when an answer is none', async () => {
    await withAccount(async ({ open, server, rows }) => {
      const one = await open();
      await one.check(patient);
      const answers: [string, string][] = [
        ['text/html', '<h1>Sorry</h1>'],
        ['application/json', '{"success":true}'],
        ['application/json', '{"success":true,"data":{}}'],
        ['application/json', '{"success":'],
        ['application/json', ''],
      ];
      for (const [type, body] of answers) {
        server.interfere = (seen, response) => {
          if (!isQuery(seen)) return false;
          response.writeHead(200, { 'content-type': type }).end(body);
          return true;
        };
        await assert.rejects(rows(one, 'select 1', { timeoutMs: 2000 }), /./, body);
      }
    });
  });

  it('are refused before anything is sent when they do not begin like a query', async () => {
    await withAccount(async ({ open, server, rows }) => {
      const one = await open();
      for (const sql of [
        'put file:///etc/passwd @stage',
        '/* x */ get @stage file:///tmp',
        '/* a */ delete from t /* b */ select 1',
        'show tables',
      ])
        await assert.rejects(rows(one, sql), {
          code: 'SIGNAL_SQL',
          message: 'this statement is not a query',
        });
      assert.deepEqual(server.seen, []);
    });
  });

  it('are refused when the server takes them for something else than a SELECT', async () => {
    await withAccount(async ({ open, server, rows }) => {
      server.interfere = (seen, response) => {
        if (!isQuery(seen)) return false;
        const data = {
          rowtype: [],
          rowset: [],
          total: 0,
          returned: 0,
          queryId: '01',
          statementTypeId: 0x3100,
        };
        return sendJson(response, { data, code: null, message: null, success: true });
      };
      await assert.rejects(rows(await open(), 'with a as (select 1) insert into t select 1'), {
        message: /not a query/,
      });
      assert.ok(server.seen.filter(isQuery).every(({ body }) => body.describeOnly));
    });
  });

  it('run as many at one time as the settings allow', async () => {
    await withAccount(async ({ open, server, rows }) => {
      const one = await open(settingsFor(server, { max_queries: 2 }));
      let most = 0;
      let now = 0;
      server.interfere = async (seen) => {
        if (!isQuery(seen) || seen.body.describeOnly) return false;
        most = Math.max(most, ++now);
        await sleep(30);
        now -= 1;
        return false;
      };
      const controller = new AbortController();
      const all = Array.from({ length: 6 }, () => rows(one, 'select 1'));
      const given = rows(one, 'select 1', { signal: controller.signal });
      controller.abort();
      await assert.rejects(given, { message: /cancelled/ });
      await Promise.all(all);
      assert.equal(most, 2);
    });
  });
});

describe('Snowflake SQL', () => {
  /** To be looked up before another one is used: https://docs.snowflake.com/en/sql-reference/functions/<name> */
  const known = [
    'coalesce',
    'concat',
    'concat_ws',
    'count',
    'current_role',
    'current_warehouse',
    'flatten',
    'get',
    'left',
    'length',
    'max',
    'md5',
    'md5_number_lower64',
    'md5_number_upper64',
    'mod',
    'parse_json',
    'sum',
    'table',
  ];

  it('calls only functions that somebody has thought about', () => {
    const files = ['members', 'digest', 'fragments', 'guard', 'check'].map((name) => `snowflake/${name}`);
    const text = ['dialect', ...files]
      .map((file) => readFileSync(`src/warehouses/${file}.sql`, 'utf8').replaceAll(/^--.*$/gm, ''))
      .join('\n');
    const called = new Set([...text.matchAll(/\b([a-z]\w*)\(/g)].map(([, name]) => name));
    assert.deepEqual([...called].sort(), known);
  });

  it('names columns as they are stored', async () => {
    await withAccount(async ({ open }) => {
      const one = await open();
      const query = {
        sql: 'select 1',
        key: ['id', 'lastName'],
        when: undefined,
        rearm: undefined,
        track: ['plan'],
        observedAt: 'at',
      };
      const { sql } = one.members(query, 16);
      for (const name of ['"ID"', '"lastName"', '"PLAN"', '"AT"']) assert.ok(sql.includes(name), name);
      assert.doesNotMatch(sql, /"(id|plan|at)"/);
    });
  });
});

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !holds(); tries++) await sleep(25);
  assert.ok(holds());
}
