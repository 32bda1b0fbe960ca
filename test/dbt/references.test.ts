import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fingerprints } from '../../src/config/fingerprint.ts';
import { ReadbackError } from '../../src/errors.ts';
import { inStatement } from '../../src/validate/places.ts';
import { load, soundFiles } from '../config/written-project.ts';
import { analytics, manifest } from './shop.ts';

const root = `${soundFiles['readback.yml']}dbt: { project: ./shop }\n`;
const header = '/*\nkey: id\n*/\n';

async function loaded(sql: string, files: Record<string, string> = {}) {
  const project = await load({
    files: {
      'readback.yml': root,
      'shop/target/manifest.json': JSON.stringify(manifest()),
      'signals/stock.sql': header + sql,
      ...files,
    },
  });
  return { project, signal: project.signals.get('stock') };
}

async function complaint(sql: string, files: Record<string, string> = {}): Promise<string> {
  const { project, signal } = await loaded(sql, files);
  assert.equal(signal, undefined);
  return project.problems.map((problem) => problem.format()).join('\n');
}

const meanings: [call: string, relation: string, id: string][] = [
  ["ref('churn_scores')", analytics('churn_scores'), 'model.shop.churn_scores'],
  ['ref("churn_scores")', analytics('churn_scores'), 'model.shop.churn_scores'],
  ["ref('shop', 'churn_scores')", analytics('churn_scores'), 'model.shop.churn_scores'],
  ["ref('countries')", analytics('countries'), 'seed.shop.countries'],
  ["ref('plans')", analytics('plans_v2'), 'model.shop.plans.v2'],
  ["ref('plans', v=1)", analytics('plans_v1'), 'model.shop.plans.v1'],
  ["ref('shop', 'plans', version='2')", analytics('plans_v2'), 'model.shop.plans.v2'],
  ["ref('calendar')", analytics('own_calendar'), 'model.shop.calendar'],
  ["ref('dates', 'calendar')", analytics('calendar'), 'model.dates.calendar'],
  ["ref('holidays')", analytics('holidays'), 'model.dates.holidays'],
  ["source('crm', 'events')", '"warehouse"."raw"."events"', 'source.shop.crm.events'],
];

for (const [call, relation, id] of meanings)
  test(`{{ ${call} }} is what dbt's manifest says`, async () => {
    const { project, signal } = await loaded(`select id from {{ ${call} }} as t`);
    assert.deepEqual(project.problems, []);
    assert.equal(signal?.sql, `select id from ${relation} as t`);
    assert.deepEqual(
      signal?.dbt?.references.map((reference) => reference.id),
      [id],
    );
  });

const mistakes: [sql: string, told: RegExp][] = [
  [
    "select 1 as id\nfrom {{ ref('churn_score') }}",
    /^signals\/stock\.sql:5:6 CONFIG_REFERENCE: there is no model `churn_score` in \.\/shop\/target\/manifest\.json\n {2}→ did you mean `churn_scores`\?$/,
  ],
  ["select id from {{ source('crm', 'event') }}", /4:16 .*no table `event` in source `crm`.*\n.*`events`/],
  ["select id from {{ source('crn', 'events') }}", /no source `crn`.*\n.*`crm`/],
  ["select id from {{ ref('dates', 'plans') }}", /no model `plans` in package `dates`/],
  ["select id from {{ ref('plans', v=3) }}", /no version 3 of `plans`.*\n.*known here: 1, 2/],
  ["select id from {{ ref('stg_customers') }}", /not in the warehouse.*\n.*ephemeral/],
  ["select id from {{ ref('not_null_churn') }}", /no model `not_null_churn`/],
  [
    "select id from {{ var('x') }}",
    /4:16 CONFIG_REFERENCE: of Jinja only ref and source.*\n.*write \{\{ ref\('model'\) \}\}/,
  ],
  ["select id from {{ ref('a') | upper }}", /only ref and source/],
  ['select id from {{ ref(name) }}', /only ref and source/],
  ['select id from {{ ref() }}', /not called like this/],
  ['{% set x = 1 %} select 1 as id', /4:1 CONFIG_REFERENCE: of Jinja only/],
  ['select 1 as id {# note #}', /4:16 CONFIG_REFERENCE: of Jinja only/],
  ["select id from {{ ref('plans')", /4:16 CONFIG_REFERENCE/],
  [`select '{{ var("x") }}' as id`, /4:8 CONFIG_REFERENCE: Jinja in a string/],
];

for (const [sql, told] of mistakes)
  test(`${JSON.stringify(sql)} is refused, with its place`, async () => {
    assert.match(await complaint(sql), told);
  });

test('a comment is no reference, as nothing in it runs', async () => {
  const { signal } = await loaded("select 1 as id -- from {{ var('x') }}\n/* {% if %} */");
  assert.match(signal?.sql ?? '', /\{\{ var/);
});

test('without dbt: braces are SQL like any other, but a ref is told what it lacks', async () => {
  const plain = { 'readback.yml': soundFiles['readback.yml'] ?? '' };
  const { signal } = await loaded("select '{%' as id, '{{ x }}' as y", plain);
  assert.match(signal?.sql ?? '', /'\{%'/);
  assert.match(
    await complaint("select id from {{ ref('plans') }}", plain),
    /4:16 CONFIG_KEY: which dbt project is meant is not said\n {2}→ name it in readback\.yml: dbt: \{ project: \.\.\/dbt \}/,
  );
});

describe('the manifest', () => {
  for (const version of [7, 8, 9, 10, 11, 12])
    test(`of version ${version} is read`, async () => {
      const { signal } = await loaded("select id from {{ ref('churn_scores') }}", {
        'shop/target/manifest.json': JSON.stringify(manifest(version)),
      });
      assert.ok(signal);
    });

  test('below 10 does not name its project, so what two packages have must be said', async () => {
    assert.match(
      await complaint("select id from {{ ref('calendar') }}", {
        'shop/target/manifest.json': JSON.stringify(manifest(9)),
      }),
      /is in packages dates and shop\n {2}→ name the package/,
    );
  });

  const broken: [what: string, text: string, told: RegExp][] = [
    ['that is too old', JSON.stringify(manifest(6)), /the manifest is of version 6, and 7 is the oldest/],
    ['that is something else', '{"metadata":{}}', /not a manifest of dbt/],
    ['that is cut off', '{"metadata":', /not JSON/],
  ];
  for (const [what, text, told] of broken)
    test(`${what} is a problem of the signals that refer to it, and of no other`, async () => {
      const files = { 'shop/target/manifest.json': text };
      assert.match(await complaint("select id from {{ ref('plans') }}", files), told);
      assert.ok((await loaded('select 1 as id', files)).signal);
    });

  test('that dbt has not written yet is said, with how it is', async () => {
    const { problems } = await load({
      files: { 'readback.yml': root, 'signals/stock.sql': `${header}select id from {{ ref('plans') }}` },
    });
    assert.match(
      problems[0]?.format() ?? '',
      /signals\/stock\.sql:4:16 CONFIG_FILE: \.\/shop\/target\/manifest\.json: the file cannot be read \(ENOENT\)\n {2}→ let dbt write it/,
    );
  });

  test('of another target_path is found', async () => {
    const { signal } = await loaded("select id from {{ ref('plans') }}", {
      'readback.yml': root.replace('./shop', './shop, target_path: prod'),
      'shop/prod/manifest.json': JSON.stringify(manifest()),
    });
    assert.ok(signal);
  });
});

test('a warehouse’s complaint is told at the place in the user’s file', async () => {
  const { signal } = await loaded(
    "select é, {{ ref('plans') }}.x, wrong\nfrom {{ ref('plans') }}, {{ source('crm', 'events') }} oops\nwhere bad",
  );
  assert.ok(signal);
  const lines = signal.sql.split('\n');
  const placeOf = (line: number, word: string) => {
    const column = [...((lines[line - 1] ?? '').split(word)[0] ?? '')].length + 1;
    const failure = new ReadbackError('SIGNAL_SQL', 'no', { place: { file: '', line, column } });
    const { place } = inStatement(failure, signal);
    return `${place?.line}:${place?.column}`;
  };
  assert.equal(placeOf(1, 'é'), '4:8');
  assert.equal(placeOf(1, 'plans_v2'), '4:11', 'inside of a relation: where it is named');
  assert.equal(placeOf(1, 'wrong'), '4:33');
  assert.equal(placeOf(2, 'oops'), '5:56');
  assert.equal(placeOf(3, 'bad'), '6:7');
});

test('the relation is what counts: how the reference is written modifies nothing', async () => {
  const one = await loaded("select id from {{ ref('plans') }}");
  const same = await loaded('select id from {{ ref( "shop", "plans", v=2 ) }}');
  const other = await loaded("select id from {{ ref('plans', v=1) }}");
  const of = ({ project }: typeof one) => fingerprints(project).signals.stock;
  assert.equal(of(same), of(one));
  assert.equal(same.signal?.version, one.signal?.version);
  assert.notEqual(of(other), of(one));
  assert.notEqual(other.signal?.version, one.signal?.version);
});

test('enrichments refer in the same way', async () => {
  const { project } = await loaded('select 1 as id', {
    'sql/enrich/customer_profile.sql': "/* fresh: 10m */\nselect * from {{ source('crm', 'customers') }}\n",
  });
  assert.equal(
    project.enrichments.get('customer_profile')?.sql,
    'select * from "warehouse"."raw"."customers"',
  );
});
