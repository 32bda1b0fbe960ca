import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

export const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'];

/** One client's way through SASL. Answers with what the broker says next; undefined: not with these credentials. */
export type Login = (message: Buffer) => { said: string; isDone: boolean } | undefined;

/** The broker's side of PLAIN (RFC 4616) or SCRAM (RFC 5802) for one user. */
export function loginOf(mechanism: string, user: string, password: string): Login {
  return mechanism === 'PLAIN'
    ? plain(user, password)
    : scram(mechanism.slice(6).replace('-', ''), user, password);
}

function plain(user: string, password: string): Login {
  return (message) => {
    const [, name, secret] = message.toString().split('\0');
    return name === user && secret === password ? { said: '', isDone: true } : undefined;
  };
}

const iterations = 4096;

function scram(hash: string, user: string, password: string): Login {
  const salt = randomBytes(16);
  const length = createHash(hash).digest().length;
  const hmac = (key: Buffer, text: string) => createHmac(hash, key).update(text).digest();
  let first: { bare: string; said: string } | undefined;
  return (message) => {
    const text = message.toString();
    if (!first) {
      const bare = text.replace(/^n,,/, '');
      const [, name, nonce] = /^n=([^,]*),r=(.*)$/.exec(bare) ?? [];
      if (name !== user) return undefined;
      const said = `r=${nonce}${randomBytes(12).toString('hex')},s=${salt.toString('base64')},i=${iterations}`;
      first = { bare, said };
      return { said, isDone: false };
    }
    const [, withoutProof = '', proof = ''] = /^(.*),p=(.*)$/.exec(text) ?? [];
    const signed = [first.bare, first.said, withoutProof].join(',');
    const salted = pbkdf2Sync(password, salt, iterations, length, hash);
    const clientKey = hmac(salted, 'Client Key');
    const storedKey = createHash(hash).update(clientKey).digest();
    const signature = hmac(storedKey, signed);
    const expected = Buffer.from(clientKey.map((byte, n) => byte ^ (signature[n] ?? 0)));
    if (expected.toString('base64') !== proof) return undefined;
    return { said: `v=${hmac(hmac(salted, 'Server Key'), signed).toString('base64')}`, isDone: true };
  };
}
