import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { Secret } from '../../src/config/secret.ts';
import { dbtSettings } from '../../src/warehouses/duckdb/dbt.ts';
import { instanceOptions, sessionSettings } from '../../src/warehouses/duckdb/hardening.ts';
import { warehouse } from '../../src/warehouses/duckdb/index.ts';
import { motherDuckPath, refusedByMotherDuck } from '../../src/warehouses/duckdb/motherduck.ts';
import { settingsSchema } from '../../src/warehouses/duckdb/settings.ts';

const token = new Secret('hunter2');
const problems = (settings: object): string =>
  inspect(settingsSchema.safeParse(settings).error?.issues ?? []);

test('a database of MotherDuck is a name and a token by reference', () => {
  assert.equal(problems({ path: 'md:shop', token }), '[]');
  assert.match(problems({ path: 'md:shop', token: 'hunter2' }), /never the secret itself/);
  assert.match(problems({ path: 'md:shop' }), /belong together/);
  assert.match(problems({ path: 'shop.duckdb', token }), /belong together/);
  assert.match(problems({ path: 'md:shop', token, scratch_path: 'kept.duckdb' }), /write `diff: digest`/);
});

test('a token in the path is refused, and not quoted', () => {
  const told = problems({ path: 'md:shop?motherduck_token=hunter2', token });
  assert.match(told, /write md:NAME, and the token as token: env:/);
  assert.doesNotMatch(told, /hunter2/);
});

test('the token goes to DuckDB as an option; the path holds none, and what is opened can only be read', () => {
  const settings = settingsSchema.parse({ path: 'md:shop', token });
  const options = instanceOptions(settings);
  assert.equal(options.motherduck_token, 'hunter2');
  assert.equal(options.access_mode, 'READ_ONLY');
  assert.equal(options.autoinstall_known_extensions, 'false');
  assert.equal(motherDuckPath(settings.path, false), 'md:shop?attach_mode=single&saas_mode=true');
  assert.doesNotMatch(sessionSettings(settings).join(), /hunter2/);
  assert.doesNotMatch(inspect(settings, { depth: 9 }) + JSON.stringify(settings), /hunter2/);
});

test('what DuckDB says of a token is told without it', () => {
  const error = refusedByMotherDuck('md:shop', 'hunter2', new Error('Jwt hunter2 is not in the right form'));
  assert.equal(error.message, 'md:shop: Jwt (token) is not in the right form');
  assert.doesNotMatch(inspect(error, { depth: 9 }), /hunter2/);
});

test('where the extension cannot be had, that is what is said', async () => {
  const home = process.env.HOME;
  // No extension is there, and no proxy that could bring one.
  Object.assign(process.env, { HOME: '/dev/null/home' });
  const opened = await warehouse.open(warehouse.schema.parse({ path: 'md:shop', token }));
  const failure = await opened.check({ timeoutMs: 60_000 }).then(
    () => undefined,
    (error: Error) => error,
  );
  process.env.HOME = home;
  const told = inspect(failure, { depth: 9 });
  assert.match(told, /WAREHOUSE_UNREACHABLE/);
  assert.match(told, /extension for MotherDuck cannot be installed/);
  assert.match(told, /extensions\.duckdb\.org/);
  assert.doesNotMatch(told, /hunter2/);
});

test('a dbt profile names the same database, with its token as a secret', () => {
  const profiles = [
    { path: 'md:shop?motherduck_token=hunter2' },
    { path: 'md:shop', settings: { motherduck_token: 'hunter2' } },
  ];
  for (const profile of profiles) {
    const { path, token: found } = dbtSettings.parse({ type: 'duckdb', ...profile });
    assert.equal(path, 'md:shop');
    assert.ok(found instanceof Secret && found.reveal() === 'hunter2');
  }
  assert.deepEqual(dbtSettings.parse({ type: 'duckdb', path: 'md:shop' }), { path: 'md:shop' });
});
