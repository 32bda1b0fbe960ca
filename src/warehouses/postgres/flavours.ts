import { backslashLiteral } from '../backslash.ts';
import { standardLiteral } from '../given.ts';

/** A server that speaks Postgres' protocol, and what it has of what Postgres has. Its SQL is in the file of its name. */
export interface Flavour {
  /** How people call it, and what it says of itself in `select version()`. */
  label: string;
  says: RegExp;
  port: number;
  /** What it can tell of changes. */
  tells: readonly ('listen' | 'replicate')[];
  /** It compares with what is known of entities, and keeps snapshots; otherwise the ledger compares what it fetches. */
  compares: boolean;
  /** Keys are bound as one array for each column; otherwise each by itself. */
  arrays: boolean;
  /** What stands between the columns of a text that is hashed. */
  joint: string;
  literal(text: string): string;
}

const postgres: Flavour = {
  label: 'PostgreSQL',
  says: /^PostgreSQL/,
  port: 5432,
  tells: ['listen', 'replicate'],
  compares: true,
  arrays: true,
  joint: ', ',
  literal: standardLiteral,
};

const replica = { tells: [], compares: false } as const;

export const flavours = {
  postgres,
  /**
   * PostgreSQL 8.0.2 by version() (r_VERSION): no LISTEN, no arrays, row constructors or collations
   * (c_unsupported-postgresql-features), and a backslash in a literal escapes, as in its r_LIKE.
   */
  redshift: {
    ...postgres,
    ...replica,
    label: 'Redshift',
    says: /, Redshift \d/,
    port: 5439,
    arrays: false,
    joint: " || '/' || ",
    literal: backslashLiteral,
  },
  /** No LISTEN (https://www.psycopg.org/psycopg3/docs/api/crdb.html) and no slots; CHANGEFEED is its own. */
  cockroach: { ...postgres, ...replica, label: 'CockroachDB', says: /^CockroachDB/, port: 26257 },
  /** PostgreSQL 9.5 by version(), which ends in (Materialize v…); SUBSCRIBE is its own. */
  materialize: {
    ...postgres,
    ...replica,
    label: 'Materialize',
    says: /\(Materialize v/,
    port: 6875,
    arrays: false,
  },
} satisfies Record<string, Flavour>;

export type FlavourName = keyof typeof flavours;
export const flavourNames = Object.keys(flavours) as FlavourName[];

/** Which flavour a server is by its version; one that we do not know is taken for what it says it is like. */
export function flavourOf(version: string): FlavourName {
  const others = flavourNames.filter((name) => name !== 'postgres');
  return others.find((name) => flavours[name].says.test(version)) ?? 'postgres';
}
