import { generateKeyPairSync } from 'node:crypto';
import { Secret } from '../../../src/config/secret.ts';
import { warehouse } from '../../../src/warehouses/snowflake/index.ts';
import type { ReadOptions, Value, Warehouse } from '../../../src/warehouses/warehouse.ts';
import type { Account } from './login.ts';
import { rows } from './rows.ts';
import { SnowflakeServer } from './server.ts';

const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });

export const privateKey = keys.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
export const encryptedKey = keys.privateKey
  .export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'open sesame' })
  .toString();

const account: Account = {
  name: 'myorg-account',
  user: 'READBACK',
  password: 'correct horse',
  publicKey: keys.publicKey.export({ format: 'pem', type: 'spki' }).toString(),
  accessToken: 'pat-secret',
  oauthToken: 'oauth-secret',
  client: { id: 'client', secret: 'client-secret' },
  role: 'READER',
  warehouse: 'REPORTING',
};

export function openAccount(change: Partial<Account> = {}): Promise<SnowflakeServer> {
  return SnowflakeServer.open({ ...account, ...change });
}

/** Settings that log in by the key pair. */
export function settingsFor(
  server: SnowflakeServer,
  change: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    account: 'myorg-account',
    user: 'readback',
    url: server.url,
    private_key: new Secret(privateKey),
    ...change,
  };
}

/** A server, and short ways to ask it as Readback does. */
export interface Bench {
  server: SnowflakeServer;
  open(settings?: Record<string, unknown>): Promise<Warehouse>;
  rows(warehouse: Warehouse, sql: string, options?: Partial<ReadOptions>): Promise<Value[][]>;
}

/** Lends a server with its own data, and closes everything afterwards. */
export async function withAccount(
  work: (bench: Bench) => Promise<void>,
  change: Partial<Account> = {},
): Promise<void> {
  const server = await openAccount(change);
  const opened: Warehouse[] = [];
  const open = async (settings = settingsFor(server)) => {
    const one = await warehouse.open(warehouse.schema.parse(settings));
    opened.push(one);
    return one;
  };
  try {
    await work({ server, open, rows });
  } finally {
    server.interfere = () => false;
    await Promise.all(opened.map((one) => one.close()));
    await server.close();
  }
}
