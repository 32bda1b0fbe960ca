import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { staleSource } from '../../src/dbt/freshness.ts';
import { load, soundFiles } from '../config/written-project.ts';
import { type Rig, rig } from '../helpers/project.ts';
import { manifest, sourcesJson } from './shop.ts';

const folder = await mkdtemp(join(tmpdir(), 'readback-freshness-'));
after(() => rm(folder, { recursive: true }));
const now = Date.parse('2026-03-01T12:00:00Z');
const freshness = {
  path: join(folder, 'sources.json'),
  shown: 'shop/target/sources.json',
  sources: ['source.shop.crm.customers', 'source.shop.crm.events'],
};

async function told(content: unknown, level: 'warn' | 'error', at = now): Promise<string | undefined> {
  await writeFile(freshness.path, typeof content === 'string' ? content : JSON.stringify(content));
  return staleSource(freshness, level, at);
}

test('sources that were loaded within dbt’s limits are fresh', async () => {
  assert.equal(await told(sourcesJson({ customers: 1, events: 12 }, now), 'warn'), undefined);
});

test('one beyond warn_after is stale at the level warn, and not yet at error', async () => {
  const content = sourcesJson({ customers: 1, events: 13 }, now);
  assert.equal(
    await told(content, 'warn'),
    'source crm.events was loaded last at 2026-02-28T23:00:00.000Z, as far as dbt knew at 2026-03-01T12:00:00.000Z; warn_after is 12 hours',
  );
  assert.equal(await told(content, 'error'), undefined);
});

test('one beyond error_after is stale at both levels', async () => {
  const content = sourcesJson({ customers: 25, events: 1 }, now);
  for (const level of ['warn', 'error'] as const)
    assert.match((await told(content, level)) ?? '', /crm\.customers .*error_after is 24 hours/);
});

test('what dbt found long ago says nothing about now', async () => {
  const content = sourcesJson({ customers: 1, events: 1 }, now);
  assert.match((await told(content, 'error', now + 24 * 3_600_000)) ?? '', /error_after is 24 hours/);
});

const unknown: [what: string, content: unknown, told: RegExp][] = [
  [
    'a source that dbt says nothing about',
    sourcesJson({ customers: 1 }, now),
    /does not say how fresh crm\.events is; run `dbt source freshness`/,
  ],
  [
    'a source that dbt could not ask',
    { results: [{ unique_id: 'source.shop.crm.customers', status: 'runtime error', error: 'no table' }] },
    /source crm\.customers could not be judged by dbt: runtime error/,
  ],
  [
    'a file that is cut off',
    '{"results": [',
    /sources\.json does not say how fresh the sources are: the file is not JSON/,
  ],
  ['another file', { nodes: {} }, /not what `dbt source freshness` writes/],
];
for (const [what, content, expected] of unknown)
  test(`${what} is not taken for fresh`, async () => {
    assert.match((await told(content, 'error')) ?? '', expected);
  });

test('no file is not taken for fresh', async () => {
  const missing = { ...freshness, path: join(folder, 'none.json') };
  assert.match((await staleSource(missing, 'error', now)) ?? '', /cannot be read \(ENOENT\)/);
});

describe('guard.source_freshness', () => {
  const root = `${soundFiles['readback.yml']}dbt: { project: ./shop }\n`;
  const guarded = async (sql: string, guard = 'source_freshness: error') => {
    const project = await load({
      files: {
        'readback.yml': root,
        'shop/target/manifest.json': JSON.stringify(manifest()),
        'signals/stock.sql': `/*\nkey: id\nguard: { ${guard} }\n*/\n${sql}`,
      },
    });
    return {
      signal: project.signals.get('stock'),
      told: project.problems.map((one) => one.format()).join('\n'),
    };
  };

  test('asks for the sources behind models, however far', async () => {
    const { signal } = await guarded("select id from {{ ref('churn_scores') }}");
    assert.deepEqual(signal?.dbt?.freshness.sources, ['source.shop.crm.customers', 'source.shop.crm.events']);
  });

  test('asks for no source without limits', async () => {
    const sql = "select id from {{ source('crm', 'flags') }} join {{ source('crm', 'events') }} using (id)";
    assert.deepEqual((await guarded(sql)).signal?.dbt?.freshness.sources, ['source.shop.crm.events']);
  });

  const mistakes: [sql: string, guard: string, told: RegExp][] = [
    [
      'select 1 as id',
      'source_freshness: error',
      /stock\.sql:3:10 CONFIG_VALUE: .*needs `ref\(\)` or `source\(\)`/,
    ],
    [
      "select id from {{ source('crm', 'flags') }}",
      'source_freshness: warn',
      /no source behind the SQL has a freshness/,
    ],
    ["select id from {{ source('crm', 'events') }}", 'source_freshness: maybe', /must be warn or error/],
    ['select 1 as id', 'loaded_at: x', /3:10 CONFIG_VALUE: `guard\.loaded_at` needs `max_age`/],
  ];
  for (const [sql, guard, told] of mistakes)
    test(`${guard} of ${sql} is refused`, async () => {
      const found = await guarded(sql, guard);
      assert.equal(found.signal, undefined);
      assert.match(found.told, told);
    });
});

describe('a poll', () => {
  let parts: Rig;
  let engine: Awaited<ReturnType<Rig['engine']>>;
  const events = '"warehouse"."main"."events"';
  before(async () => {
    const shop = manifest() as { sources: Record<string, Record<string, unknown>> };
    Object.assign(shop.sources['source.shop.crm.events'] ?? {}, { relation_name: events });
    parts = await rig(
      {
        'readback.yml':
          'project: rig\nwarehouses:\n  analytics: { type: duckdb, path: ./warehouse.duckdb }\ndbt: { project: ./shop }\n',
        'shop/target/manifest.json': JSON.stringify(shop),
        'signals/stale.sql':
          "/*\nkey: id\nguard: { source_freshness: error }\n*/\nselect id from {{ source('crm', 'events') }}",
        'signals/loaded.sql':
          "/*\nkey: id\non: [entered, changed]\nguard: { max_age: 1h, loaded_at: loaded }\n*/\nselect id, loaded from {{ source('crm', 'events') }}",
      },
      "create table events as select 'e1' as id, now() as loaded",
    );
    engine = await parts.engine();
  });
  after(() => parts.close());

  async function polled(name: string): Promise<string> {
    const signal = parts.project.signals.get(name);
    assert.ok(signal);
    const { state, reason } = await engine.poll(signal);
    return `${state}: ${reason}`;
  }

  test('is held while a dbt source is stale, and believed again when it is not', async () => {
    const file = join(parts.root, 'shop/target/sources.json');
    assert.match(await polled('stale'), /^held: \.\/shop\/target\/sources\.json does not say/);
    await writeFile(file, JSON.stringify(sourcesJson({ events: 30 })));
    assert.match(await polled('stale'), /^held: source crm\.events was loaded last at/);
    await writeFile(file, JSON.stringify(sourcesJson({ events: 2 })));
    assert.match(await polled('stale'), /^baseline: null/);
  });

  test('is held while max(loaded_at) is too old; that rows are loaded again is no change of them', async () => {
    assert.match(await polled('loaded'), /^baseline/);
    await parts.warehouse.run("update events set loaded = now() - interval '1 minute'");
    assert.equal(await polled('loaded'), 'done: null');
    const { rows } = await parts.database.pool.query('select count(*)::int as messages from messages');
    assert.equal(rows[0].messages, 0);
    await parts.warehouse.run("update events set loaded = now() - interval '3 hours'");
    assert.match(
      await polled('loaded'),
      /^held: the newest loaded is 180 min old, older than max_age 60 min/,
    );
  });
});
