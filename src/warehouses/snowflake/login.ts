import type { ConnectionOptions } from 'snowflake-sdk';
import type { Settings } from './settings.ts';

/** What the driver is opened with, and the words for it in errors: never a secret. */
export interface Login {
  options: ConnectionOptions;
  /** `user@account` */
  shown: string;
}

/** Rows that wait in the driver for the reader. */
const rowsAhead = 2000;

/**
 * Retries of the login are off: a failed one is told at once, and the next poll tries again. Those of a statement cannot
 * be switched off; they repeat the same request id, which the server runs once. One result chunk is fetched ahead.
 */
export function loginOf(settings: Settings): Login {
  const { account, user, url } = settings;
  const options: ConnectionOptions = {
    account,
    accessUrl: (url ?? `https://${account}.snowflakecomputing.com`).replace(/\/$/, ''),
    application: 'readback',
    ...(user !== undefined && { username: user }),
    ...pick(settings, 'role', 'warehouse', 'database', 'schema'),
    ...credentialsOf(settings),
    clientSessionKeepAlive: false,
    clientStoreTemporaryCredential: false,
    disableQueryContextCache: true,
    sfRetryMaxLoginRetries: 0,
    resultPrefetch: 1,
    rowStreamHighWaterMark: rowsAhead,
    rowMode: 'array',
    fetchAsString: ['Number', 'JSON'],
  };
  return { options, shown: user === undefined ? account : `${user}@${account}` };
}

function pick<Name extends keyof Settings>(
  settings: Settings,
  ...names: Name[]
): Partial<Pick<Settings, Name>> {
  const picked: Partial<Pick<Settings, Name>> = {};
  for (const name of names) if (settings[name] !== undefined) picked[name] = settings[name];
  return picked;
}

function credentialsOf(settings: Settings): ConnectionOptions {
  const { private_key, private_key_passphrase, token, oauth_token, oauth_client_secret, password } = settings;
  if (private_key) {
    return {
      authenticator: 'SNOWFLAKE_JWT',
      privateKey: private_key.reveal(),
      ...(private_key_passphrase && { privateKeyPass: private_key_passphrase.reveal() }),
    };
  }
  if (token) return { authenticator: 'PROGRAMMATIC_ACCESS_TOKEN', token: token.reveal() };
  if (oauth_token) return { authenticator: 'OAUTH', token: oauth_token.reveal() };
  if (oauth_client_secret) return clientCredentials(settings, oauth_client_secret.reveal());
  return { authenticator: 'SNOWFLAKE', ...(password && { password: password.reveal() }) };
}

function clientCredentials(settings: Settings, secret: string): ConnectionOptions {
  const { oauth_client_id, oauth_token_url, oauth_scope } = settings;
  return {
    authenticator: 'OAUTH_CLIENT_CREDENTIALS',
    oauthClientSecret: secret,
    ...(oauth_client_id !== undefined && { oauthClientId: oauth_client_id }),
    ...(oauth_token_url !== undefined && { oauthTokenRequestUrl: oauth_token_url }),
    ...(oauth_scope !== undefined && { oauthScope: oauth_scope }),
    // The schema lets only loopback be plain http.
    ...(oauth_token_url?.startsWith('http:') && { oauthHttpAllowed: true }),
  };
}
