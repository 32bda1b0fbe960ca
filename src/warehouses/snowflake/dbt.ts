import { z } from 'zod';
import { present, profileText, refused, secretOf } from '../dbt.ts';

/**
 * An output of dbt-snowflake. https://docs.getdbt.com/docs/core/connect-data-platform/snowflake-setup
 */
export const dbtSettings = z
  .looseObject({
    account: z.string().min(1),
    user: profileText(),
    password: profileText(),
    private_key: profileText(),
    private_key_path: profileText(),
    private_key_passphrase: profileText(),
    token: profileText(),
    authenticator: z.enum(['snowflake', 'oauth']).exactOptional(),
    oauth_client_id: refused('a refresh token of OAuth'),
    role: profileText(),
    warehouse: profileText(),
    database: profileText(),
    schema: profileText(),
  })
  .transform((output): Record<string, unknown> => {
    const path = output.private_key_path;
    return present({
      account: output.account,
      user: output.user,
      password: secretOf(output.password),
      private_key: path === undefined ? secretOf(output.private_key) : `file:${path}`,
      private_key_passphrase: secretOf(output.private_key_passphrase),
      oauth_token: output.authenticator === 'oauth' ? secretOf(output.token) : undefined,
      token: output.authenticator === 'oauth' ? undefined : secretOf(output.token),
      role: output.role,
      warehouse: output.warehouse,
      database: output.database,
      schema: output.schema,
    });
  });
