import { z } from 'zod';
import { secret, setting } from '../../config/references.ts';
import type { Fields } from '../connector.ts';

/** The YAML settings of a connection. */
export const settingsSchema = z.strictObject({
  access_token: secret().describe('The access token of a HubSpot private app.'),
  base_url: setting(z.url({ protocol: /^https?$/ }))
    .exactOptional()
    .describe('Replaces https://api.hubapi.com, for a sandbox or a proxy.'),
});
export type Settings = z.infer<typeof settingsSchema>;

/** Internal names of HubSpot properties: lower case, digits and underscores. */
const propertyName = z
  .string()
  .regex(/^[a-z][a-z0-9_]*$/, 'write the internal name of a HubSpot property, such as customer_id');

/** Any property of the object. Values are checked by HubSpot: what the loader sees is a template, not yet a value. */
export const propertyFields: z.ZodType<Fields> = z.record(propertyName, z.string());

export const contactOptions = z.strictObject({
  id_property: propertyName
    .default('email')
    .describe('The unique property that decides which contact is meant; must be among the fields.'),
});

export const companyOptions = z.strictObject({
  id_property: propertyName.describe(
    'The unique property that decides which company is meant; must be among the fields.',
  ),
});

const taskShape = {
  subject: z.string().describe('The title of the task.'),
  body: z.string().exactOptional().describe('The notes of the task; HubSpot reads them as HTML.'),
  due: z
    .string()
    .exactOptional()
    .describe('Date or timestamp (ISO 8601, or milliseconds since 1970). Default: the end of the day, UTC.'),
  priority: z.string().exactOptional().describe('LOW, MEDIUM or HIGH.'),
  type: z.string().exactOptional().describe('TODO (default), CALL or EMAIL.'),
  status: z
    .string()
    .exactOptional()
    .describe(
      'NOT_STARTED, IN_PROGRESS, WAITING, COMPLETED or DEFERRED. Leave it out to let HubSpot decide.',
    ),
  owner_id: z.string().exactOptional().describe('Numeric id of the HubSpot owner the task is assigned to.'),
  contact_email: z.string().exactOptional().describe('Email of an existing contact to put the task on.'),
  contact_id: z.string().exactOptional().describe('Record id of the contact, instead of its email.'),
  company_id: z.string().exactOptional().describe('Record id of a company to put the task on.'),
};

export const taskFields = z
  .strictObject(taskShape)
  .refine(
    (fields) => fields.contact_email === undefined || fields.contact_id === undefined,
    'name the contact by contact_email or by contact_id, not by both',
  ) as unknown as z.ZodType<Fields>;

export const taskOptions = z.strictObject({
  key_property: propertyName
    .default('readback_key')
    .describe('The unique task property that holds our key, so that a task is never made twice.'),
});

/** Task fields that are plain HubSpot properties, by our name. */
export const taskProperties: Readonly<Record<string, string>> = {
  subject: 'hs_task_subject',
  body: 'hs_task_body',
  due: 'hs_timestamp',
  priority: 'hs_task_priority',
  type: 'hs_task_type',
  status: 'hs_task_status',
  owner_id: 'hubspot_owner_id',
};

/** Task fields that are associations: which object they point to, and by what. */
export const taskTargets = {
  contact_email: { type: 'contacts', idProperty: 'email' },
  contact_id: { type: 'contacts', idProperty: undefined },
  company_id: { type: 'companies', idProperty: undefined },
} as const;
export type TargetField = keyof typeof taskTargets;
export const targetFields = Object.keys(taskTargets) as TargetField[];
