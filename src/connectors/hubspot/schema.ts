import { z } from 'zod';
import { secret, setting } from '../../config/references.ts';
import type { Fields } from '../connector.ts';

/** The YAML settings of a connection. */
export const settingsSchema = z.strictObject({
  access_token: secret().describe('The access token of a HubSpot private app.'),
  base_url: setting(z.url({ protocol: /^https?$/ }))
    .exactOptional()
    .describe('Replaces https://api.hubapi.com, for a sandbox or a proxy.'),
  portal_id: z
    .string()
    .regex(/^\d+$/, 'write the number in quotes: "1234567"')
    .exactOptional()
    .describe(
      'The account’s number, with which plays have the addresses of records (`results.<destination>.url`).',
    ),
});
export type Settings = z.infer<typeof settingsSchema>;

/** Internal names of HubSpot properties: lower case, digits and underscores. */
export const propertyName = z
  .string()
  .regex(/^[a-z][a-z0-9_]*$/, 'write the internal name of a HubSpot property, such as customer_id');

/** Names of objects go into addresses, so nothing else may pass. */
export const objectName = z
  .string()
  .regex(
    /^\w+(-\w+)?$/,
    'write the name of an object: contacts, companies, deals, tickets, p_invoices (a custom object) or 2-3465404',
  );

/** Any property of the object. Values are checked by HubSpot: what the loader sees is a template, not yet a value. */
export const propertyFields: z.ZodType<Fields> = z.record(propertyName, z.string());

export const contactOptions = z.strictObject({
  id_property: propertyName
    .default('email')
    .describe('The unique property that decides which contact is meant; must be among the fields.'),
});

export const companyOptions = z.strictObject({
  id_property: propertyName.describe(
    'The unique property that decides which company is meant; must be among the fields. HubSpot has none of its own.',
  ),
});

export const recordOptions = z.strictObject({
  object: objectName.describe(
    'deals, tickets, or any other object. A custom object by its fully qualified name (p_invoices) or its ' +
      'objectTypeId (2-3465404).',
  ),
  id_property: propertyName.describe(
    'The unique property that decides which record is meant; must be among the fields.',
  ),
});

export const keyOptions = z.strictObject({
  key_property: propertyName
    .default('readback_key')
    .describe('The unique property of the object that holds our key, so that nothing is ever made twice.'),
});

/** Record ids stand in a property, too, so that one option says how records are named. */
const namedBy = (whose: string) =>
  propertyName
    .default('hs_object_id')
    .describe(`The unique property whose value names ${whose}; hs_object_id: its record id.`);

/** Objects of which HubSpot has lists, by name. */
export const objectTypeIds: Readonly<Record<string, string>> = {
  contacts: '0-1',
  companies: '0-2',
  deals: '0-3',
  tickets: '0-5',
};

export const listOptions = z
  .strictObject({
    list_id: z
      .string()
      .regex(/^\d+$/, 'write the number that stands in the address of the list, in quotes: "42"')
      .exactOptional()
      .describe('The id of the list, as its address in HubSpot shows it, in quotes.'),
    list_name: z
      .string()
      .min(1)
      .exactOptional()
      .describe('The name of the list, instead of its id; costs one more request per batch.'),
    object: z
      .string()
      .regex(
        /^(contacts|companies|deals|tickets|\d+-\d+)$/,
        'write contacts, companies, deals, tickets, or the objectTypeId of a custom object, such as 2-3465404',
      )
      .default('contacts')
      .describe(
        'What is in the list: contacts, companies, deals, tickets or an objectTypeId such as 2-3465404.',
      ),
    id_property: propertyName
      .default('email')
      .describe('The unique property whose value names the member; hs_object_id: its record id.'),
  })
  .refine(
    ({ list_id, list_name }) => (list_id === undefined) !== (list_name === undefined),
    'name the list by list_id or by list_name',
  );

export const listFields = z.strictObject({
  member: z.string().describe('Names the record: the value of the property in the option id_property.'),
}) as z.ZodType<Fields>;

/** Of somebody who is taken off: the record that the destination follows may stand for the field. */
export const leaverFields = z.strictObject({
  member: z
    .string()
    .exactOptional()
    .describe('Names the record, as in add_to_list. Absent: the record that the destination `follows`.'),
}) as z.ZodType<Fields>;

export const associationOptions = z.strictObject({
  from_object: objectName.describe('The object of the one record, as in upsert_record.'),
  from_property: namedBy('the one record'),
  to_object: objectName.describe('The object of the other record.'),
  to_property: namedBy('the other record'),
});

export const associationFields = z.strictObject({
  from: z.string().describe('Names the one record: the value of from_property.'),
  to: z.string().describe('Names the other record: the value of to_property.'),
  label: z
    .string()
    .exactOptional()
    .describe(
      'An association label that the account has for this pair of objects, in this direction. Labels that are there ' +
        'stay.',
    ),
}) as unknown as z.ZodType<Fields>;
