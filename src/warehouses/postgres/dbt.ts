import { z } from 'zod';
import { present, profileText, refused, secretOf } from '../dbt.ts';

/**
 * An output of dbt's adapters for Postgres and Redshift, which speaks the same protocol.
 * https://docs.getdbt.com/docs/core/connect-data-platform/postgres-setup
 */
export const dbtSettings = z
  .looseObject({
    type: z.string(),
    host: z.string().min(1),
    port: z.coerce.number().int().min(1).max(65_535).exactOptional(),
    dbname: profileText(),
    database: profileText(),
    user: profileText(),
    password: profileText(),
    pass: profileText(),
    sslmode: profileText(),
    sslrootcert: profileText(),
    role: refused('`role`'),
    search_path: refused('`search_path`'),
    sslcert: refused('a client certificate'),
    sslkey: refused('a client certificate'),
    method: z
      .literal('database', { error: 'only the method `database`, a password, is supported' })
      .exactOptional(),
  })
  .transform((output): Record<string, unknown> => {
    return present({
      host: output.host,
      port: output.port,
      flavour: output.type === 'redshift' ? 'redshift' : undefined,
      database: output.dbname ?? output.database,
      user: output.user,
      password: secretOf(output.password ?? output.pass),
      sslmode: output.sslmode,
      sslrootcert: output.sslrootcert === undefined ? undefined : `file:${output.sslrootcert}`,
    });
  });
