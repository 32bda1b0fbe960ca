import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { inspect } from 'node:util';
import { Secret } from '../../src/config/secret.ts';
import { environment, load } from '../config/written-project.ts';

const profiles = `acme:
  target: dev
  outputs:
    dev:
      type: duckdb
      path: dev.duckdb
      threads: 8
    prod:
      type: postgres
      host: "{{ env_var('PG_HOST', 'db') }}.example.com"
      port: "{{ env_var('PG_PORT') | as_number }}"
      user: reader
      password: "{{ env_var('DBT_ENV_SECRET_PASSWORD') }}"
      dbname: shop
      schema: analytics
      threads: 4
      sslmode: require
    wide:
      type: redshift
      host: wide.example.com
      user: reader
      pass: hunter2-in-the-open
      dbname: shop
    cold:
      type: snowflake
      account: myorg-acme
      user: reader
      private_key: not-really-a-key
      role: reporter
      warehouse: reporting
      database: shop
      schema: marts
      client_session_keep_alive: false
    warm:
      type: snowflake
      account: myorg-acme
      user: reader
      authenticator: externalbrowser
    big:
      type: bigquery
      method: service-account-json
      project: acme-shop
      dataset: marts
      keyfile_json: { client_email: reader@acme.example }
      maximum_bytes_billed: 1000000000
    other:
      type: trino
    attached:
      type: duckdb
      path: dev.duckdb
      attach: [{ path: other.duckdb }]
    acting:
      type: postgres
      host: db
      role: somebody
`;
const home = await mkdtemp(join(tmpdir(), 'readback-home-'));
after(() => rm(home, { recursive: true }));
const env = { ...environment, HOME: home, PG_PORT: '6543', DBT_ENV_SECRET_PASSWORD: 'p{%w' };

function rootFile(profile: string, rest = 'dbt: { project: ./shop }\n'): string {
  return `project: acme\nwarehouses:\n  analytics: { ${profile} }\n${rest}`;
}

async function warehouse(profile: string, options: { files?: Record<string, string>; env?: object } = {}) {
  const files = {
    'readback.yml': rootFile(profile),
    'shop/profiles.yml': profiles,
    'destinations/retention_task.yaml': 'x: 1',
    ...options.files,
  };
  const project = await load({ files, env: { ...env, ...options.env } });
  const problems = project.problems.filter(({ place }) => !place?.file.startsWith('destinations/'));
  return {
    found: project.warehouses.get('analytics'),
    problems: problems.map((one) => one.format()),
    project,
  };
}

test('a warehouse is an output of profiles.yml, its env_var() filled in', async () => {
  const { found, problems } = await warehouse('dbt_profile: acme.prod');
  assert.deepEqual(problems, []);
  assert.equal(found?.type, 'postgres');
  const { password, ...settings } = found?.settings ?? {};
  assert.deepEqual(settings, {
    host: 'db.example.com',
    port: 6543,
    database: 'shop',
    user: 'reader',
    sslmode: 'require',
    flavour: 'postgres',
    max_connections: 4,
  });
  assert.equal(password instanceof Secret && password.reveal(), 'p{%w');
});

test('without a target it is the one that the profile names; paths are relative to the dbt project', async () => {
  const { found, project } = await warehouse('dbt_profile: acme');
  assert.equal(found?.type, 'duckdb');
  assert.equal(found?.settings.path, join(project.root, 'shop/dev.duckdb'));
});

test('the profile’s own target may come from the environment', async () => {
  const files = {
    'shop/profiles.yml': profiles.replace('target: dev', `target: "{{ env_var('T', 'dev') }}"`),
  };
  assert.equal((await warehouse('dbt_profile: acme', { files })).found?.type, 'duckdb');
  const { found } = await warehouse('dbt_profile: acme', { files, env: { T: 'prod' } });
  assert.equal(found?.type, 'postgres');
});

test('keys beside dbt_profile are laid over what the profile says', async () => {
  const { found } = await warehouse('dbt_profile: acme.prod, max_connections: 9, user: readback');
  assert.equal(found?.settings.max_connections, 9);
  assert.equal(found?.settings.user, 'readback');
});

test('Redshift is read as the flavour of Postgres that it is', async () => {
  const { found } = await warehouse('dbt_profile: acme.wide');
  assert.equal(found?.type, 'postgres');
  assert.equal(found?.settings.flavour, 'redshift');
});

test('Snowflake and BigQuery are read with what their profiles say; a login that needs a browser is refused', async () => {
  const { private_key: key, ...cold } = (await warehouse('dbt_profile: acme.cold')).found?.settings ?? {};
  const names = { role: 'reporter', warehouse: 'reporting', database: 'shop', schema: 'marts' };
  assert.deepEqual(cold, { account: 'myorg-acme', user: 'reader', ...names, max_queries: 4 });
  assert.equal(key instanceof Secret && key.reveal(), 'not-really-a-key');
  const { credentials, ...big } = (await warehouse('dbt_profile: acme.big')).found?.settings ?? {};
  assert.ok(credentials instanceof Secret);
  assert.deepEqual(
    { ...big, endpoint: undefined },
    {
      project: 'acme-shop',
      dataset: 'acme-shop.marts',
      maximum_bytes_billed: 1_000_000_000n,
      endpoint: undefined,
    },
  );
  const { found, problems } = await warehouse('dbt_profile: acme.warm');
  assert.equal(found, undefined);
  assert.match(problems.join('\n'), /profiles\.yml:38:22 .*must be snowflake or oauth/);
});

test('a password of a profile shows nowhere', async () => {
  const { found, project } = await warehouse('dbt_profile: acme.wide');
  assert.ok(found?.settings.password instanceof Secret);
  for (const text of [JSON.stringify([...project.warehouses]), inspect(project, { depth: 9 })])
    assert.doesNotMatch(text, /hunter2/);
  const bad = await warehouse('dbt_profile: acme.wide', {
    files: {
      'shop/profiles.yml': profiles
        .replaceAll('port: "', 'port: "hunter2')
        .replace('host: wide', 'sslmode: hunter2\n      host: wide'),
    },
  });
  assert.equal(bad.found, undefined);
  assert.doesNotMatch(bad.problems.join('\n'), /hunter2/);
});

test('profiles.yml is looked for where dbt looks, in its order', async () => {
  const elsewhere = `acme:\n  target: dev\n  outputs:\n    dev: { type: duckdb, path: elsewhere.duckdb }\n`;
  const path = async (files: Record<string, string>, more: object = {}) => {
    const { found, problems } = await warehouse('dbt_profile: acme', { files, env: more });
    return String(found?.settings.path ?? problems.join('\n')).replace(/^.*\//, '');
  };
  assert.equal(await path({ 'profiles.yml': elsewhere }), 'dev.duckdb');
  const here = { 'profiles.yml': elsewhere, 'readback.yml': rootFile('dbt_profile: acme', '') };
  assert.equal(await path(here), 'elsewhere.duckdb');
  assert.match(await path({}, { DBT_PROFILES_DIR: '/nowhere' }), /profiles\.yml: the file cannot be read/);
});

const mistakes: [profile: string, told: RegExp, edit?: [string, string]][] = [
  ['dbt_profile: acne', /^shop\/profiles\.yml:1:1 CONFIG_REFERENCE: there is no profile `acne`\n.*`acme`/],
  ['dbt_profile: acme.prd', /^shop\/profiles\.yml:4:5 CONFIG_REFERENCE: there is no target `prd`\n.*`prod`/],
  [
    'dbt_profile: acme.other',
    /^shop\/profiles\.yml:\d+:13 CONFIG_REFERENCE: dbt's adapter `trino` leads to no warehouse/,
  ],
  [
    'dbt_profile: acme.attached',
    /^shop\/profiles\.yml:\d+:15 CONFIG_VALUE: `attach`: `attach` is not supported/,
  ],
  ['dbt_profile: acme.acting', /^shop\/profiles\.yml:\d+:13 CONFIG_VALUE: `role`: `role` is not supported/],
  ['dbt_profile: acme, type: duckdb', /^readback\.yml:3:35 CONFIG_KEY|exclude each other/],
  ['dbt_profile: [acme]', /^readback\.yml:3:29 CONFIG_VALUE: .*must be text/],
  [
    'dbt_profile: acme.prod',
    /^shop\/profiles\.yml:10:13 CONFIG_VALUE: the environment variable PGHOST is not set\n {2}→ set it: export PGHOST=/,
    [`env_var('PG_HOST', 'db')`, `env_var('PGHOST')`],
  ],
  [
    'dbt_profile: acme.prod',
    /only env_var is understood here/,
    [`env_var('PG_HOST', 'db')`, `var('PG_HOST')`],
  ],
  [
    'dbt_profile: acme.prod',
    /only env_var is understood here/,
    [`{{ env_var('PG_HOST', 'db') }}`, '{% if x %}'],
  ],
  ['dbt_profile: acme.prod', /the filter `rot13` is not understood here/, ['as_number', 'rot13']],
];

for (const [profile, told, edit] of mistakes)
  test(`${profile}${edit ? ` with ${edit[1]}` : ''} is refused at its place`, async () => {
    const text = edit ? profiles.replace(edit[0], () => edit[1]) : profiles;
    const { found, problems } = await warehouse(profile, { files: { 'shop/profiles.yml': text } });
    assert.equal(found, undefined);
    assert.match(problems[0] ?? '', told);
  });
