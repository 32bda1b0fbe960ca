import { z } from 'zod';
import { Secret } from '../../config/secret.ts';

/** dbt reads as another role, certificate or identity would: what is seen could be something else. */
const refused = (what: string) =>
  z
    .custom((value) => value === undefined || value === null || value === '', {
      error: `${what} is not supported; write the connection in readback.yml instead`,
    })
    .optional();

const text = () => z.coerce.string().min(1).exactOptional();

/**
 * An output of dbt's adapters for Postgres and Redshift, which speaks the same protocol.
 * https://docs.getdbt.com/docs/core/connect-data-platform/postgres-setup
 */
export const dbtSettings = z
  .looseObject({
    type: z.string(),
    host: z.string().min(1),
    port: z.coerce.number().int().min(1).max(65_535).exactOptional(),
    dbname: text(),
    database: text(),
    user: text(),
    password: text(),
    pass: text(),
    sslmode: text(),
    sslrootcert: text(),
    role: refused('`role`'),
    search_path: refused('`search_path`'),
    sslcert: refused('a client certificate'),
    sslkey: refused('a client certificate'),
    method: z
      .literal('database', { error: 'only the method `database`, a password, is supported' })
      .exactOptional(),
  })
  .transform((output): Record<string, unknown> => {
    const password = output.password ?? output.pass;
    const settings = {
      host: output.host,
      port: output.port ?? (output.type === 'redshift' ? 5439 : undefined),
      database: output.dbname ?? output.database,
      user: output.user,
      password: password === undefined ? undefined : new Secret(password),
      sslmode: output.sslmode,
      sslrootcert: output.sslrootcert === undefined ? undefined : `file:${output.sslrootcert}`,
    };
    return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  });
