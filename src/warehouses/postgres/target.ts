import type { ConnectionOptions } from 'node:tls';
import type pg from 'pg';
import { ReadbackError } from '../../errors.ts';
import { type FlavourName, flavours } from './flavours.ts';
import type { AccessSettings, SslMode } from './settings.ts';

/** What to connect to, and the words for it in errors: never the password. */
export interface Target {
  config: pg.ClientConfig;
  sslMode: SslMode;
  flavour: FlavourName;
  /** `user@host:port/database` */
  shown: string;
}

/** Shorter than any read's deadline, so that a dead host is told apart from a slow query. */
const connectMs = 10_000;

export function targetOf(settings: AccessSettings, flavour: FlavourName = 'postgres'): Target {
  const usual = flavours[flavour].port;
  const parts = settings.url ? partsOf(settings.url.reveal(), usual) : plainParts(settings, usual);
  const sslMode = settings.sslmode ?? parts.sslMode ?? 'prefer';
  const { host, port, database, user, password } = parts;
  return {
    config: {
      host,
      port,
      ...(database && { database }),
      ...(user && { user }),
      ...(password && { password }),
      application_name: 'readback',
      connectionTimeoutMillis: connectMs,
      keepAlive: true,
    },
    // A unix socket has no TLS.
    sslMode: host.startsWith('/') ? 'disable' : sslMode,
    flavour,
    shown: `${user ? `${user}@` : ''}${host}:${port}${database ? `/${database}` : ''}`,
  };
}

interface Parts {
  host: string;
  port: number;
  database: string | undefined;
  user: string | undefined;
  password: string | undefined;
  sslMode?: SslMode | undefined;
}

function plainParts(settings: AccessSettings, port: number): Parts {
  return {
    host: settings.host ?? 'localhost',
    port: settings.port ?? port,
    database: settings.database,
    user: settings.user,
    password: settings.password?.reveal(),
  };
}

function partsOf(url: string, port: number): Parts {
  // Never the parser's own error: it quotes the whole url.
  if (!URL.canParse(url)) throw badUrl();
  const parsed = new URL(url);
  if (!/^postgres(ql)?:$/.test(parsed.protocol)) throw badUrl();
  const query = parsed.searchParams;
  const part = (encoded: string) => (encoded === '' ? undefined : decodeURIComponent(encoded));
  try {
    return {
      host: query.get('host') ?? part(parsed.hostname)?.replace(/^\[(.*)\]$/, '$1') ?? 'localhost',
      port: Number(parsed.port || query.get('port') || port),
      database: part(parsed.pathname.slice(1)),
      user: part(parsed.username),
      password: part(parsed.password),
      sslMode: (query.get('sslmode') as SslMode | null) ?? undefined,
    };
  } catch {
    throw badUrl();
  }
}

function badUrl(): ReadbackError {
  return new ReadbackError('WAREHOUSE_UNREACHABLE', 'the url of the database cannot be understood', {
    hint: 'write postgres://user:password@host:port/database, with special characters of the password as %XX',
  });
}

/** As libpq: `require` encrypts without asking who answers, only the verify modes look at the certificate. */
export function tlsOptions(mode: SslMode, authority: string | undefined): ConnectionOptions | false {
  if (mode === 'disable') return false;
  if (mode === 'prefer' || mode === 'require') return { rejectUnauthorized: false };
  const verified: ConnectionOptions = { rejectUnauthorized: true, ...(authority && { ca: authority }) };
  return mode === 'verify-ca' ? { ...verified, checkServerIdentity: () => undefined } : verified;
}
