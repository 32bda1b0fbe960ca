import { z } from 'zod';
import { secret, setting } from '../../config/references.ts';
import { Secret } from '../../config/secret.ts';
import { isRefused } from '../addresses.ts';
import { isCredential, isPrintable } from './credentials.ts';
import { actionsSchema, path } from './grammar.ts';
import { complaintsTo, type Path } from './placeholders.ts';

const headerValue = z
  .custom<string | Secret>((value) => typeof value === 'string' || value instanceof Secret, 'must be text')
  .meta({ type: 'string', examples: ['env:ERP_KEY', 'acme'] });

/** The YAML settings of a connection. */
export const settingsSchema = z
  .strictObject({
    base_url: setting(
      z
        .url({ protocol: /^https?$/, error: 'must be an address such as https://erp.example/api' })
        .refine((url) => !/[?#@\s]/.test(url), 'an address of its own: no user, ? or #'),
    ).describe('What every path stands below; nothing is sent anywhere else.'),
    bearer_token: secret().exactOptional().describe('Sent as Authorization: Bearer ….'),
    username: setting(z.string().min(1))
      .exactOptional()
      .describe('Sent with password as Authorization: Basic ….'),
    password: secret().exactOptional().describe('The password of username.'),
    headers: z
      .record(z.string().regex(/^[A-Za-z0-9-]+$/, 'not the name of a header'), headerValue)
      .default({})
      .describe('Headers of every request; keys and tokens as env:NAME or file:PATH.'),
    check: path().exactOptional().describe('A path that `doctor` asks with GET; base_url itself if absent.'),
    link_local: z.boolean().default(false).describe('Allows addresses such as 169.254.169.254.'),
    actions: actionsSchema.describe('What can be done there, by name.'),
  })
  .superRefine(checkSettings);

export type Settings = z.output<typeof settingsSchema>;

const transportHeaders =
  /^(host|content-length|connection|transfer-encoding|accept-encoding|upgrade|expect)$/i;

/** Credentials are references and come one way; the address is one that may be connected to. */
function checkSettings(settings: Settings, context: z.RefinementCtx): void {
  const complain = complaintsTo(context, settings);
  const { base_url: baseUrl, headers, bearer_token: token, username, password } = settings;
  // Also runs when the address has been found to be none.
  if (!settings.link_local && URL.canParse(baseUrl) && isRefused(new URL(baseUrl).hostname))
    complain(['base_url'], 'is a link-local or metadata address', 'write link_local: true if that is meant');
  if (token && !isPrintable(token))
    complain(['bearer_token'], 'cannot be sent: a header is one line of plain characters');
  const ways: Path[] = [];
  if (token !== undefined) ways.push(['bearer_token']);
  if (password !== undefined) ways.push(['username']);
  for (const [name, value] of Object.entries(headers)) {
    const path = ['headers', name];
    if (/^authorization$/i.test(name)) ways.push(path);
    if (!(value instanceof Secret) && isCredential(name))
      complain(path, 'is for a secret, which must be a reference', 'write env:NAME or file:PATH');
    if (!isPrintable(value)) complain(path, 'cannot be sent: a header is one line of plain characters');
    if (transportHeaders.test(name)) complain(path, 'is not for you to set', 'leave it out');
  }
  const [first, second] = ways;
  if (first && second) complain(second, `excludes ${first.join('.')}`, 'keep one of them');
  // One that is not there is told as missing.
  if (username === undefined && password !== undefined) complain(['username'], 'goes with password');
  if (username !== undefined && password === undefined) complain(['password'], 'goes with username');
}
