import { z } from 'zod';
import { secret, setting } from '../../config/references.ts';

const sslModes = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type SslMode = (typeof sslModes)[number];

const text = () => setting(z.string().min(1)).exactOptional();

export const settingsSchema = z
  .strictObject({
    url: secret()
      .exactOptional()
      .describe('`postgres://user:password@host:port/database`, instead of the parts.'),
    host: text().describe('Host name, address, or the folder of a unix socket.'),
    port: setting(z.coerce.number().int().min(1).max(65_535)).exactOptional().describe('5432 if absent.'),
    database: text(),
    user: text(),
    password: secret().exactOptional(),
    sslmode: setting(z.enum(sslModes))
      .exactOptional()
      .describe('As libpq understands it. `prefer` if absent here and in the url.'),
    sslrootcert: secret()
      .exactOptional()
      .describe('The PEM text of the authority to trust for verify-ca and verify-full, as `file:ca.pem`.'),
    max_connections: setting(z.coerce.number().int().min(1).max(64))
      .default(4)
      .describe('Queries at one time; others wait.'),
    scratch_schema: text().describe(
      'A schema that Readback may write to, for signals with `diff: warehouse`.',
    ),
  })
  .refine((settings) => (settings.url === undefined) !== (settings.host === undefined), {
    error: 'write either url, or host with database, user and password',
  });

export type Settings = z.infer<typeof settingsSchema>;
