import { z } from 'zod';
import { secret, setting } from '../../config/references.ts';
import { eventFields } from '../event.ts';

/** One or more brokers of one cluster, separated by commas. */
const brokersPattern = /^[^\s,/@:]+:\d+(\s*,\s*[^\s,/@:]+:\d+)*$/;

/** The YAML settings of a connection. */
export const settingsSchema = z
  .strictObject({
    brokers: setting(z.string().regex(brokersPattern, 'write host:port, or several with commas')).describe(
      'Some brokers of one cluster, which know the others: `kafka-1.acme.example:9093, kafka-2.acme.example:9093`.',
    ),
    sasl: setting(z.enum(['plain', 'scram-sha-256', 'scram-sha-512']))
      .exactOptional()
      .describe('How `user` and `password` are told: `plain`, `scram-sha-256` or `scram-sha-512`.'),
    user: setting(z.string().min(1)).exactOptional().describe('A user name, with `sasl` and `password`.'),
    password: secret().exactOptional().describe('The password of `user`.'),
    tls: setting(z.enum(['required', 'none']))
      .default('required')
      .describe('`none` talks in the clear; with `sasl: plain`, so does the password.'),
    tls_ca: setting(z.string().min(1))
      .exactOptional()
      .describe('The authority that signed the brokers’ certificates, as `file:ca.pem`.'),
    tls_certificate: setting(z.string().min(1))
      .exactOptional()
      .describe('Our certificate, as `file:client.pem`, where brokers want one.'),
    tls_key: secret().exactOptional().describe('The key of `tls_certificate`, as `file:client.key`.'),
  })
  .superRefine(({ sasl, user, password, tls, tls_ca, tls_certificate, tls_key }, context) => {
    const wrong = (message: string, name: string) =>
      context.addIssue({ code: 'custom', message, path: [name] });
    const login = [sasl, user, password].filter((part) => part !== undefined);
    if (login.length % 3 !== 0) wrong('sasl, user and password go together', 'sasl');
    if ((tls_certificate === undefined) !== (tls_key === undefined))
      wrong('tls_certificate and tls_key go together', 'tls_certificate');
    if (tls === 'none' && (tls_ca ?? tls_certificate) !== undefined)
      wrong('without TLS there are no certificates', 'tls');
  });
export type Settings = z.infer<typeof settingsSchema>;

export const publishFields = eventFields({
  message_key: z
    .string()
    .exactOptional()
    .describe('The record’s key: one key is one partition, in order. `event_subject` if absent.'),
});

export const publishOptions = z.strictObject({
  topic: z
    .string()
    .regex(/^(?!\.{1,2}$)[\w.-]{1,249}$/, 'write the name of a topic, such as customers.at-risk')
    .describe('The topic to publish to. It must exist.'),
  mode: z
    .enum(['structured', 'binary'])
    .default('structured')
    .describe(
      '`structured`: the event is the record’s value. `binary`: its data is, its attributes are headers.',
    ),
});
export type PublishOptions = z.infer<typeof publishOptions>;
