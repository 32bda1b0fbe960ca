import { z } from 'zod';
import { secret, setting } from '../../config/references.ts';
import { flavourNames, flavours } from './flavours.ts';

const sslModes = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type SslMode = (typeof sslModes)[number];

const text = () => setting(z.string().min(1)).exactOptional();

/** What a database is reached by, also by who writes to it. */
const access = {
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
};
const hasOneAddress = (settings: { url?: unknown; host?: unknown }) =>
  (settings.url === undefined) !== (settings.host === undefined);
const oneAddress = { error: 'write either url, or host with database, user and password' };

export const accessSchema = z.strictObject(access).refine(hasOneAddress, oneAddress);
export type AccessSettings = z.infer<typeof accessSchema>;

export const settingsSchema = z
  .strictObject({
    ...access,
    port: access.port.describe('The usual one of the flavour if absent: 5432, 5439, 26257, 6875.'),
    flavour: setting(z.enum(flavourNames))
      .default('postgres')
      .describe('Which of the servers that speak Postgres’ protocol it is.'),
    scratch_schema: text().describe(
      'A schema that Readback may write to, for signals with `diff: warehouse`.',
    ),
  })
  .refine(hasOneAddress, oneAddress)
  .refine(({ flavour, scratch_schema: schema }) => schema === undefined || flavours[flavour].compares, {
    path: ['scratch_schema'],
    error: 'only flavour: postgres keeps snapshots; write `diff: digest` in the signals instead',
  });
export type Settings = z.infer<typeof settingsSchema>;
