import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { Secret } from '../../../src/config/secret.ts';
import { ReadbackError } from '../../../src/errors.ts';
import { warehouse } from '../../../src/warehouses/snowflake/index.ts';
import { patient } from '../fixture.ts';
import { encryptedKey, privateKey, settingsFor, withAccount } from './account.ts';

const secret = (text: string) => new Secret(text);
const user = { user: 'readback' };
const client = { oauth_client_id: 'client', role: 'READER' };

const ways: [name: string, good: Record<string, unknown>, wrong: Record<string, unknown>, hint: RegExp][] = [
  [
    'a key pair',
    { ...user, private_key: secret(privateKey) },
    { user: 'somebody', private_key: secret(privateKey) },
    /user/,
  ],
  [
    'an encrypted key',
    { ...user, private_key: secret(encryptedKey), private_key_passphrase: secret('open sesame') },
    { ...user, private_key: secret(encryptedKey), private_key_passphrase: secret('wrong-passphrase') },
    /private_key/,
  ],
  [
    'a programmatic access token',
    { ...user, token: secret('pat-secret') },
    { ...user, token: secret('wrong-token') },
    /token/,
  ],
  [
    'an OAuth token',
    { oauth_token: secret('oauth-secret') },
    { oauth_token: secret('wrong-oauth') },
    /OAuth/,
  ],
  [
    'OAuth client credentials',
    { ...client, oauth_client_secret: secret('client-secret') },
    { ...client, oauth_client_secret: secret('wrong-client') },
    /OAuth|settings/,
  ],
  [
    'a password',
    { ...user, password: secret('correct horse') },
    { ...user, password: secret('wrong-password') },
    /password/,
  ],
];

describe('Snowflake login', () => {
  for (const [name, good, wrong, hint] of ways) {
    it(`lets in by ${name}`, async () => {
      await withAccount(async ({ open, server }) => {
        const address =
          'oauth_client_id' in good ? { oauth_token_url: `${server.url}/oauth/token-request` } : {};
        const base = { account: 'myorg-account', url: server.url, ...address };
        await (await open({ ...base, ...good })).check(patient);
        const [login] = server.seenAt(/login-request/);
        assert.equal(login?.body.data.ACCOUNT_NAME, 'myorg-account');
        const error = await (await open({ ...base, ...wrong }))
          .check(patient)
          .then(() => assert.fail('let in'), same);
        assert.ok(error instanceof ReadbackError);
        assert.equal(error.code, 'WAREHOUSE_UNREACHABLE');
        assert.match(String(error.hint), hint, error.message);
        const told = inspect(error, { depth: 10, showHidden: true });
        for (const value of Object.values(wrong))
          if (value instanceof Secret) assert.ok(!told.includes(value.reveal().slice(0, 60)), told);
      });
    });
  }

  it('asks for the role, the virtual warehouse, the database and the schema of the settings', async () => {
    await withAccount(async ({ open, server }) => {
      const wanted = { role: 'READER', warehouse: 'REPORTING', database: 'ANALYTICS', schema: 'MARTS' };
      await (await open(settingsFor(server, wanted))).check(patient);
      const { query } = server.seenAt(/login-request/)[0] ?? assert.fail();
      assert.deepEqual(
        ['roleName', 'warehouse', 'databaseName', 'schemaName'].map((name) => query.get(name)),
        Object.values(wanted),
      );
    });
  });

  it('happens once for all queries, and again when the session is gone', async () => {
    await withAccount(async ({ open, server, rows }) => {
      const one = await open();
      await Promise.all(Array.from({ length: 5 }, () => rows(one, 'select 1')));
      assert.equal(server.seenAt(/login-request/).length, 1);
      server.expire();
      assert.deepEqual(await rows(one, 'select 2'), [['2']]);
      assert.equal(server.seenAt(/login-request/).length, 1, 'an expired session is renewed');
      assert.equal(server.seenAt(/token-request/).length, 1);
      server.interfere = (seen, response) => {
        if (!/query-request/.test(seen.path)) return false;
        const gone = { success: false, code: '390111', message: 'Session no longer exists.', data: {} };
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(gone));
        return true;
      };
      await assert.rejects(rows(one, 'select 3'), { code: 'WAREHOUSE_UNREACHABLE' });
      server.interfere = () => false;
      assert.deepEqual(await rows(one, 'select 3'), [['3']]);
      assert.equal(server.seenAt(/login-request/).length, 2, 'one that is gone is opened anew');
    });
  });

  it('ends its session when it is closed', async () => {
    await withAccount(async ({ open, server }) => {
      const one = await open();
      await one.check(patient);
      await one.close();
      assert.ok(server.seen.some(({ path, query }) => path === '/session' && query.get('delete') === 'true'));
    });
  });

  it('is given up at the deadline when nothing answers', async () => {
    await withAccount(async ({ open, server }) => {
      server.interfere = () => true;
      const started = performance.now();
      await assert.rejects((await open()).check({ timeoutMs: 300 }), { message: /deadline of 300 ms/ });
      assert.ok(performance.now() - started < 5000);
    });
  });

  it('is refused to a role that administers the account, and without a virtual warehouse', async () => {
    await withAccount(
      async ({ open }) => {
        await assert.rejects((await open()).check(patient), {
          code: 'WAREHOUSE_UNREACHABLE',
          hint: /only select/,
        });
      },
      { role: 'ACCOUNTADMIN' },
    );
    await withAccount(
      async ({ open }) => {
        await assert.rejects((await open()).check(patient), { hint: /set `warehouse`/ });
      },
      { warehouse: undefined },
    );
  });

  it('takes exactly one way in, over https or on this machine', () => {
    const good = { account: 'a', user: 'b', password: secret('c') };
    const bad: [Record<string, unknown>, RegExp][] = [
      [{ token: secret('d') }, /exactly one of/],
      [{ password: undefined }, /secret/],
      [{ url: 'http://example.com' }, /https/],
      [{ url: 'https://user:word@example.com' }, /https/],
      [{ account: 'https://a.snowflakecomputing.com' }, /account identifier/],
      [{ user: undefined }, /./],
      [{ oauth_client_id: 'x' }, /client credentials/],
    ];
    assert.ok(warehouse.schema.safeParse(good).success);
    for (const [change, message] of bad) {
      const parsed = warehouse.schema.safeParse({ ...good, ...change });
      assert.match(String(parsed.error?.message), message, JSON.stringify(change));
    }
  });
});

function same(error: unknown): unknown {
  return error;
}
