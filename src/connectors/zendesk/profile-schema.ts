import { z } from 'zod';
import { withCustomFields } from '../fields.ts';

/** A custom field of users or organisations is named by its key: `custom_plan_tier`. */
export const customProfileField = /^custom_([a-z0-9_]+)$/i;

const shared = {
  details: z.string().exactOptional().describe('Details, such as an address.'),
  notes: z.string().exactOptional().describe('Notes that only agents see.'),
  tags: z.string().exactOptional().describe('Comma separated. They replace the tags that are there.'),
};

export const userFields = withCustomFields(
  {
    external_id: z
      .string()
      .exactOptional()
      .describe('Your own id of the user. When it is mapped, it decides which user is meant.'),
    email: z
      .string()
      .exactOptional()
      .describe('The primary email. It decides which user is meant when `external_id` is not mapped.'),
    name: z.string().exactOptional().describe('The full name; Zendesk wants one for a user who is new.'),
    phone: z.string().exactOptional().describe('The primary phone number.'),
    organization_id: z
      .string()
      .exactOptional()
      .describe('Numeric id of an organisation, such as `results.<destination>.id` in a play.'),
    time_zone: z.string().exactOptional().describe('As Zendesk names it, such as `Copenhagen`.'),
    ...shared,
  },
  customProfileField,
).refine(
  (fields) => fields.external_id !== undefined || fields.email !== undefined,
  'map external_id or email: it says which user is meant',
);

export const userOptions = z.strictObject({
  verify_email: z
    .boolean()
    .default(false)
    .describe('Whether Zendesk mails a user who is new, to have the address confirmed.'),
});

export const organizationFields = withCustomFields(
  {
    external_id: z
      .string()
      .describe('Your own id of the organisation. It decides which organisation is meant.'),
    name: z.string().describe('The name. Zendesk wants it to be unique.'),
    domain_names: z
      .string()
      .exactOptional()
      .describe('Comma separated. Users with such an email belong to the organisation.'),
    group_id: z.string().exactOptional().describe('Numeric id of the group that gets its tickets.'),
    ...shared,
  },
  customProfileField,
);

export const organizationOptions = z.strictObject({});
