import { createHash, createPublicKey, verify } from 'node:crypto';

/** Who may log in to the account, and how. */
export interface Account {
  name: string;
  user: string;
  password: string;
  /** PEM. */
  publicKey: string;
  accessToken: string;
  oauthToken: string;
  client: { id: string; secret: string };
  role: string;
  warehouse: string | undefined;
}

export interface Refusal {
  code: string;
  message: string;
}

/** @returns why the login is refused; undefined when it is not */
export function refusalOf(account: Account, data: Record<string, unknown>): Refusal | undefined {
  const { AUTHENTICATOR, LOGIN_NAME, TOKEN, PASSWORD } = data;
  if (AUTHENTICATOR === 'OAUTH') {
    return TOKEN === account.oauthToken
      ? undefined
      : { code: '390303', message: 'Invalid OAuth access token. ' };
  }
  if (String(LOGIN_NAME).toUpperCase() !== account.user) {
    return { code: '390100', message: 'Incorrect username or password was specified.' };
  }
  if (AUTHENTICATOR === 'SNOWFLAKE_JWT') {
    return isSigned(account, String(TOKEN))
      ? undefined
      : { code: '390144', message: 'JWT token is invalid.' };
  }
  if (AUTHENTICATOR === 'PROGRAMMATIC_ACCESS_TOKEN') {
    return TOKEN === account.accessToken
      ? undefined
      : { code: '394400', message: 'Programmatic access token is invalid.' };
  }
  return PASSWORD === account.password
    ? undefined
    : { code: '390100', message: 'Incorrect username or password was specified.' };
}

/** As the vendor documents it: the issuer names the account, the user and the key's fingerprint. */
function isSigned(account: Account, token: string): boolean {
  const [head = '', body = '', signature = ''] = token.split('.');
  const { iss, sub, exp } = JSON.parse(Buffer.from(body, 'base64url').toString());
  const key = createPublicKey(account.publicKey);
  const print = createHash('sha256')
    .update(key.export({ format: 'der', type: 'spki' }))
    .digest('base64');
  const subject = `${account.name}.${account.user}`.toUpperCase();
  return (
    verify('sha256', Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url')) &&
    iss === `${subject}.SHA256:${print}` &&
    sub === subject &&
    exp > Date.now() / 1000
  );
}
