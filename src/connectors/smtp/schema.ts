import { z } from 'zod';
import { secret, setting } from '../../config/references.ts';

const encryptions = ['starttls', 'implicit', 'none'] as const;
export type Encryption = (typeof encryptions)[number];

/** The YAML settings of a connection. */
export const settingsSchema = z
  .strictObject({
    host: setting(z.string().min(1)).describe('The mail server that takes your mail.'),
    port: setting(z.coerce.number().int().min(1).max(65_535))
      .exactOptional()
      .describe('587 if absent; 465 with `tls: implicit`, 25 with `tls: none`.'),
    tls: setting(z.enum(encryptions))
      .default('starttls')
      .describe(
        '`starttls` and `implicit` send nothing without TLS and a valid certificate; `none` is for a relay nearby.',
      ),
    user: setting(z.string().min(1)).exactOptional().describe('With password; a relay may do without.'),
    password: secret().exactOptional().describe('The password of user.'),
    from: setting(
      z
        .string()
        .regex(
          /^([^<>\r\n]*<)?[^\s<>@]+@[^\s<>@]+>?$/,
          'must be an address such as Acme <hello@acme.example>',
        ),
    ).describe('The sender of every mail, such as `Acme <hello@acme.example>`.'),
  })
  .refine((settings) => (settings.user === undefined) === (settings.password === undefined), {
    error: 'write user and password together, or neither',
  });
export type Settings = z.infer<typeof settingsSchema>;

export const mailFields = z.strictObject({
  to: z.string().describe('The address of one person.'),
  subject: z.string().describe('One line.'),
  text: z.string().describe('The mail as plain text.'),
  html: z.string().exactOptional().describe('The same as HTML; values of the row are escaped in it.'),
  reply_to: z.string().exactOptional().describe('The address that answers go to.'),
});
