import { z } from 'zod';
import { secret, setting } from '../../config/references.ts';
import { withCustomFields } from '../fields.ts';

/** The YAML settings of a connection. */
export const settingsSchema = z.strictObject({
  subdomain: setting(
    z.string().regex(/^[a-z0-9][a-z0-9-]*$/i, 'write only the first part of the address'),
  ).describe('The first part of your Zendesk address: `acme` of acme.zendesk.com.'),
  email: setting(z.email()).describe('The agent the API token acts for.'),
  api_token: secret().describe('An API token (Admin Center → Apps and integrations → APIs).'),
  base_url: setting(z.url())
    .exactOptional()
    .describe('Replaces https://{subdomain}.zendesk.com, for a sandbox or a proxy.'),
});
export type Settings = z.infer<typeof settingsSchema>;

/** Values are checked by Zendesk, not here: what the loader sees is a template, not yet a value. */
const sharedFields = {
  priority: z.string().exactOptional().describe('low, normal, high or urgent.'),
  status: z.string().exactOptional().describe('new, open, pending, hold, solved or closed.'),
  type: z.string().exactOptional().describe('problem, incident, question or task.'),
  tags: z.string().exactOptional().describe('Comma separated. They replace the tags of the ticket.'),
  assignee_id: z.string().exactOptional().describe('Numeric id of an agent.'),
  group_id: z.string().exactOptional().describe('Numeric id of a group.'),
};

/** A custom ticket field is named by its numeric id: `custom_360012345678`. */
export const customField = /^custom_(\d+)$/;

export const createFields = withCustomFields(
  {
    subject: z.string().exactOptional().describe('The subject line.'),
    body: z.string().describe('The first comment, which Zendesk also calls the description.'),
    requester_email: z.string().exactOptional().describe('Who the ticket is for; created when unknown.'),
    requester_name: z.string().exactOptional().describe('The name to give a requester who is created.'),
    organization_id: z
      .string()
      .exactOptional()
      .describe('Numeric id of an organisation the requester belongs to.'),
    ...sharedFields,
  },
  customField,
);

const valueShape = {
  subject: z.string().exactOptional().describe('The subject line.'),
  ...sharedFields,
};
const updateShape = { ...valueShape, comment: z.string().exactOptional().describe('A comment to add.') };
export const updateFields = withCustomFields(updateShape, customField);
export const updateByIdFields = withCustomFields(
  {
    ticket_id: z.string().describe('Numeric id of the ticket.'),
    ...updateShape,
  },
  customField,
);
export const valueFields = withCustomFields(
  {
    ticket_id: z
      .string()
      .exactOptional()
      .describe('Numeric id of the ticket. Absent: the ticket that the destination `follows`.'),
    ...valueShape,
  },
  customField,
);

export const createOptions = z.strictObject({
  public: z.boolean().default(true).describe('Whether the requester can see the first comment.'),
});
export const updateOptions = z.strictObject({
  public: z.boolean().default(false).describe('Whether the requester can see the comment.'),
});
