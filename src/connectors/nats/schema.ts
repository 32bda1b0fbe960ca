import { z } from 'zod';
import { secret, setting } from '../../config/references.ts';

/** One or more servers of one cluster, separated by commas. */
const serversPattern = /^[^\s,/]*(:\/\/)?[^\s,/@]+(\s*,\s*[^\s,/]*(:\/\/)?[^\s,/@]+)*$/;

/** The YAML settings of a connection. */
export const settingsSchema = z
  .strictObject({
    servers: setting(
      z.string().regex(serversPattern, 'write host:port, or several with commas, without user and password'),
    ).describe('The servers of one cluster: `nats-1.acme.example:4222, nats-2.acme.example:4222`.'),
    token: secret().exactOptional().describe('A token.'),
    user: setting(z.string().min(1)).exactOptional().describe('A user name, with `password`.'),
    password: secret().exactOptional().describe('The password of `user`.'),
    nkey_seed: secret().exactOptional().describe('The seed of a user’s NKey, as `file:user.nk`.'),
    credentials: secret().exactOptional().describe('JWT and seed of a user, as `file:user.creds`.'),
    tls: setting(z.enum(['required', 'if_offered']))
      .default('required')
      .describe('`if_offered` also talks to a server without TLS: in the clear.'),
    tls_ca: setting(z.string().min(1))
      .exactOptional()
      .describe('The authority that signed the servers’ certificates, as `file:ca.pem`.'),
    tls_certificate: setting(z.string().min(1))
      .exactOptional()
      .describe('Our certificate, as `file:client.pem`, where servers want one.'),
    tls_key: secret().exactOptional().describe('The key of `tls_certificate`, as `file:client.key`.'),
    domain: setting(z.string().regex(/^[\w-]+$/, 'write the name of a domain'))
      .exactOptional()
      .describe('The JetStream domain, behind a leaf node.'),
  })
  .superRefine(({ token, user, password, nkey_seed, credentials }, context) => {
    if ((user === undefined) !== (password === undefined))
      context.addIssue({ code: 'custom', message: 'user and password go together', path: ['user'] });
    const ways = [token, user, nkey_seed, credentials].filter((way) => way !== undefined);
    if (ways.length > 1)
      context.addIssue({
        code: 'custom',
        message: 'write only one of token, user, nkey_seed and credentials',
        path: ['token'],
      });
  });
export type Settings = z.infer<typeof settingsSchema>;

/** Names separated by dots; no wildcards, and none of the server's own subjects. */
const subjectPattern = /^(?!\$|_INBOX\.)[^\s.*>]+(\.[^\s.*>]+)*$/;

export const publishOptions = z.strictObject({
  subject: z
    .string()
    .regex(subjectPattern, 'write a subject without wildcards, such as customers.at_risk')
    .describe('The subject to publish to. A stream must listen to it.'),
  stream: z
    .string()
    .regex(/^[^\s.*>/\\]+$/, 'write the name of a stream')
    .exactOptional()
    .describe('The stream that must store it. Any other refuses. Found by the subject if absent.'),
});
export type PublishOptions = z.infer<typeof publishOptions>;
