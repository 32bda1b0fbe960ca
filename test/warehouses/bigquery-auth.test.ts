import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { Secret } from '../../src/config/secret.ts';
import { ReadbackError } from '../../src/errors.ts';
import { Api } from '../../src/warehouses/bigquery/api.ts';
import { openWarehouse, warehouse } from '../../src/warehouses/bigquery/index.ts';
import { settingsSchema } from '../../src/warehouses/bigquery/settings.ts';
import { type Google, serveGoogle } from './bigquery/google.ts';
import { BigQueryServer, serviceAccountKey } from './bigquery/server.ts';
import { patient } from './fixture.ts';

describe('BigQuery credentials', () => {
  let server: BigQueryServer;
  let google: Google;
  let folder: string;
  const names = ['HOME', 'GOOGLE_APPLICATION_CREDENTIALS', 'GCE_METADATA_HOST', 'METADATA_SERVER_DETECTION'];
  const environment = new Map(names.map((name) => [name, process.env[name]]));
  before(async () => {
    [server, google] = await Promise.all([BigQueryServer.open(), serveGoogle()]);
    folder = await mkdtemp(join(tmpdir(), 'readback-bigquery-'));
  });
  after(async () => {
    await Promise.all([server.close(), google.close(), rm(folder, { recursive: true })]);
  });
  afterEach(() => {
    server.asked.length = 0;
    for (const [name, value] of environment) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });

  const check = async (settings: Record<string, unknown>) => {
    const one = await warehouse.open(
      warehouse.schema.parse({ project: 'acme', endpoint: server.url, ...settings }),
    );
    await one.check(patient);
  };
  const refused = async (settings: Record<string, unknown>) => {
    const failure = await check(settings).then(() => assert.fail('it was accepted'), same);
    assert.ok(failure instanceof ReadbackError);
    assert.equal(failure.code, 'WAREHOUSE_UNREACHABLE');
    return failure;
  };
  const key = () => new Secret(JSON.stringify(serviceAccountKey));
  /** As on a machine that nobody has logged in to. */
  const onNobodysMachine = (metadataHost?: string) => {
    process.env.HOME = folder;
    delete process.env.GOOGLE_APPLICATION_CREDENTIALS;
    if (metadataHost === undefined) process.env.METADATA_SERVER_DETECTION = 'none';
    else process.env.GCE_METADATA_HOST = metadataHost;
  };

  it('are the key of a service account', () => check({ credentials: key() }));

  it('are the key that GOOGLE_APPLICATION_CREDENTIALS names', async () => {
    const file = join(folder, 'key.json');
    await writeFile(file, JSON.stringify(serviceAccountKey));
    process.env.GOOGLE_APPLICATION_CREDENTIALS = file;
    await check({});
  });

  it('are those of the machine', async () => {
    onNobodysMachine(new URL(google.url).host);
    server.tokens.add('machine-token');
    await check({});
    assert.equal(server.asked[0]?.token, 'machine-token');
  });

  it('are exchanged for those of the account to act as', async () => {
    onNobodysMachine(new URL(google.url).host);
    const impersonate = 'reader@acme.iam.gserviceaccount.com';
    const settings = settingsSchema.parse({ project: 'acme', endpoint: server.url, impersonate });
    server.tokens.clear();
    server.tokens.add('impersonated-token');
    const one = openWarehouse(new Api(settings, { ...settings, iamEndpoint: google.url }));
    await one.check(patient);
    assert.equal(server.asked[0]?.token, 'impersonated-token');
    assert.match(
      google.asked.at(-1) ?? '',
      new RegExp(`${impersonate}:generateAccessToken Bearer machine-token$`),
    );
  });

  it('are missed before anything is asked without them', async () => {
    onNobodysMachine();
    const failure = await refused({});
    assert.match(String(failure.hint), /gcloud auth application-default login/);
    assert.equal(server.asked.length, 0);
  });

  it('are not quoted when they cannot be read', async () => {
    const file = join(folder, 'broken.json');
    await writeFile(file, '{"private_key": hunter2');
    process.env.GOOGLE_APPLICATION_CREDENTIALS = file;
    const failures = [
      await refused({}),
      await refused({ credentials: new Secret('{"private_key": hunter2') }),
      await refused({ credentials: new Secret('{"type": "authorized_user", "refresh_token": "hunter2"}') }),
      await refused({
        credentials: new Secret(JSON.stringify({ ...serviceAccountKey, private_key: 'hunter2' })),
      }),
    ];
    assert.match(failures[0]?.message ?? '', /application default credentials are not JSON/);
    for (const failure of failures) {
      assert.ok(failure.hint, failure.message);
      assert.ok(!inspect(failure, { depth: 20, showHidden: true }).includes('hunter2'), failure.message);
    }
  });

  it('that BigQuery does not know are told so', async () => {
    server.tokens.clear();
    onNobodysMachine(new URL(google.url).host);
    assert.match(String((await refused({})).hint), /check `credentials`/);
  });
});

function same(error: unknown): unknown {
  return error;
}
