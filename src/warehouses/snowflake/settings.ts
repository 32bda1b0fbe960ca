import { z } from 'zod';
import { secret, setting } from '../../config/references.ts';

const text = () => setting(z.string().min(1)).exactOptional();

/** https, or plain http to this machine, where a stand-in of the account may listen. */
const addressPattern = /^(https:\/\/[^/?#@]+|http:\/\/(127\.0\.0\.1|localhost)(:\d+)?)\/?$/;
const tokenUrlPattern = /^(https:\/\/[^@]+|http:\/\/(127\.0\.0\.1|localhost)(:\d+)?\/.*)$/;

/** Ways to log in, by the setting that decides for one. */
const credentials = ['private_key', 'token', 'oauth_token', 'oauth_client_secret', 'password'] as const;

export const settingsSchema = z
  .strictObject({
    account: setting(
      z.string().regex(/^[A-Za-z0-9_.-]+$/, 'write an account identifier such as myorg-account'),
    ).describe('Account identifier: organisation and account name, or locator and region.'),
    user: text().describe('Required unless OAuth is used.'),
    private_key: secret()
      .exactOptional()
      .describe('PEM text of the private key of the user’s key pair, as `file:key.p8`.'),
    private_key_passphrase: secret().exactOptional().describe('When the private key is encrypted.'),
    token: secret().exactOptional().describe('A programmatic access token.'),
    oauth_token: secret().exactOptional().describe('An access token of OAuth, for as long as it is valid.'),
    oauth_client_id: text().describe(
      'OAuth client credentials, with the secret: a new token for every session.',
    ),
    oauth_client_secret: secret().exactOptional().describe('Needs `role` or `oauth_scope`, too.'),
    oauth_token_url: setting(z.string().regex(tokenUrlPattern, 'write an https address'))
      .exactOptional()
      .describe('Where the token comes from. The account itself if absent.'),
    oauth_scope: text().describe('`session:role:` and the role if absent.'),
    password: secret().exactOptional().describe('Where a password alone still logs in.'),
    role: text().describe('A role that may only select. The user’s default if absent.'),
    warehouse: text().describe('The virtual warehouse that computes. The user’s default if absent.'),
    database: text().describe('Where names without one are looked for. The user’s default if absent.'),
    schema: text().describe('The same for names without a schema.'),
    url: setting(z.string().regex(addressPattern, 'write https:// and the host'))
      .exactOptional()
      .describe('Instead of the address made from the account, for private connectivity.'),
    max_queries: setting(z.coerce.number().int().min(1).max(64))
      .default(4)
      .describe('Queries at one time; others wait.'),
  })
  .refine((settings) => credentials.filter((name) => settings[name] !== undefined).length === 1, {
    error: `write exactly one of ${credentials.join(', ')}`,
  })
  .refine((settings) => settings.user !== undefined || usesOauth(settings), {
    path: ['user'],
    error: 'required unless OAuth is used',
  })
  .refine(
    (settings) =>
      (settings.oauth_client_id === undefined) === (settings.oauth_client_secret === undefined) &&
      (settings.role !== undefined ||
        settings.oauth_scope !== undefined ||
        settings.oauth_client_id === undefined),
    { error: 'OAuth client credentials are oauth_client_id, oauth_client_secret, and role or oauth_scope' },
  );

export type Settings = z.infer<typeof settingsSchema>;

export function usesOauth(settings: { oauth_token?: unknown; oauth_client_secret?: unknown }): boolean {
  return settings.oauth_token !== undefined || settings.oauth_client_secret !== undefined;
}
