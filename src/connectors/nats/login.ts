import {
  type Authenticator,
  credsAuthenticator,
  type NodeConnectionOptions,
  nkeyAuthenticator,
} from '@nats-io/transport-node';
import type { Settings } from './schema.ts';

/** A connection that is dead without saying so is noticed after two pings of this distance; the client's own is 2 min. */
const pingIntervalMs = 10_000;

/** The client's options: who we are, TLS, and nothing that is done again behind our back. */
export function connectionOptions(settings: Settings, timeoutMs: number): NodeConnectionOptions {
  const { servers, token, user, password, tls, tls_ca, tls_certificate, tls_key } = settings;
  const authenticator = authenticatorOf(settings);
  const certificates = {
    ...(tls_ca === undefined ? {} : { ca: tls_ca }),
    ...(tls_certificate === undefined ? {} : { cert: tls_certificate }),
    ...(tls_key === undefined ? {} : { key: tls_key.reveal() }),
  };
  const secured = tls === 'required' || Object.keys(certificates).length > 0;
  return {
    name: 'readback',
    servers: servers.split(',').map((server) => server.trim()),
    timeout: timeoutMs,
    reconnect: false,
    pingInterval: pingIntervalMs,
    maxPingOut: 2,
    noAsyncTraces: true,
    ...(token === undefined ? {} : { token: token.reveal() }),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { pass: password.reveal() }),
    ...(authenticator === undefined ? {} : { authenticator }),
    // With an object, empty or not, the client refuses a server that does not offer TLS.
    ...(secured ? { tls: certificates } : {}),
  };
}

/** What was given as seed or credentials is neither. Without the library's own words, which may quote it. */
export class UnusableCredentials extends Error {}

function authenticatorOf({ nkey_seed, credentials }: Settings): Authenticator | undefined {
  const secret = credentials ?? nkey_seed;
  if (!secret) return undefined;
  const text = new TextEncoder().encode(secret.reveal().trim());
  const authenticator = credentials ? credsAuthenticator(text) : nkeyAuthenticator(text);
  try {
    // Signs something once, because the client would only do so in the middle of connecting, and then just hang up.
    authenticator('nonce');
  } catch {
    throw new UnusableCredentials(credentials ? 'credentials holds no JWT and seed' : 'nkey_seed is no seed');
  }
  return authenticator;
}
