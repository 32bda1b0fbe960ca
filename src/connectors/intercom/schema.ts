import { z } from 'zod';
import { secret, setting } from '../../config/references.ts';
import { withCustomFields } from '../fields.ts';

/** The YAML settings of a connection. */
export const settingsSchema = z.strictObject({
  access_token: secret().describe('The access token of a private app (Developer Hub → Authentication).'),
  region: setting(z.enum(['us', 'eu', 'au']))
    .default('us')
    .describe('Where the workspace is hosted.'),
  base_url: setting(z.url())
    .exactOptional()
    .describe('Replaces https://api.intercom.io, for a sandbox or a proxy.'),
});
export type Settings = z.infer<typeof settingsSchema>;

/** A custom data attribute of people by its name: `custom_plan`. */
export const customField = /^custom_(.+)$/;

/** Values are checked by Intercom, not here: what the loader sees is a template, not yet a value. */
export const contactFields = withCustomFields(
  {
    external_id: z.string().exactOptional().describe('Your own id of the person.'),
    email: z.string().exactOptional().describe('The email address.'),
    name: z.string().exactOptional().describe('The full name.'),
    phone: z.string().exactOptional().describe('The phone number, as +4930123456.'),
    owner_id: z.string().exactOptional().describe('Numeric id of the teammate who owns the contact.'),
  },
  customField,
);

export const contactOptions = z.strictObject({
  id_property: z
    .enum(['external_id', 'email'])
    .default('external_id')
    .describe('What decides which contact is meant; must be among the fields.'),
});

export const tagFields = z.strictObject({
  tag: z.string().describe('The name of the tag; made when there is none.'),
});

export const noteFields = z.strictObject({
  body: z.string().describe('The note, as plain text.'),
});
