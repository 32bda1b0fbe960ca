import { z } from 'zod';
import { secret, setting } from '../../config/references.ts';
import { onlyField, withCustomFields } from '../fields.ts';

/** The YAML settings of a connection. */
export const settingsSchema = z.strictObject({
  site: setting(
    z.string().regex(/^[a-z0-9][a-z0-9-]*$/i, 'write only the first part of the address'),
  ).describe('The first part of your Jira address: `acme` of acme.atlassian.net.'),
  email: setting(z.email()).describe('The account the API token acts for.'),
  api_token: secret().describe('An API token (id.atlassian.com → Security → API tokens).'),
  base_url: setting(z.url())
    .exactOptional()
    .describe('Replaces https://{site}.atlassian.net, for a sandbox or a proxy.'),
});
export type Settings = z.infer<typeof settingsSchema>;

/** A custom field by its id in Jira: `customfield_10042`. */
export const customField = /^customfield_\d+$/;

/** Values are checked by Jira, not here: what the loader sees is a template, not yet a value. */
const shared = {
  description: z.string().exactOptional().describe('Text; an empty line begins a paragraph.'),
  priority: z.string().exactOptional().describe('The name of a priority, such as High.'),
  assignee_id: z.string().exactOptional().describe('The account id of a user.'),
  due_date: z.string().exactOptional().describe('A date, as 2027-01-31.'),
};

export const createFields = withCustomFields(
  {
    project: z.string().describe('The key of the project, such as OPS.'),
    issue_type: z.string().describe('The name of the issue type, such as Task.'),
    summary: z.string().describe('The title: one line of at most 255 characters.'),
    labels: z.string().exactOptional().describe('Comma separated, beside the label that marks our issues.'),
    parent: z.string().exactOptional().describe('The key of an epic, or of the issue it is a subtask of.'),
    ...shared,
  },
  customField,
);

export const updateFields = withCustomFields(
  {
    summary: z.string().exactOptional().describe('A new title.'),
    status: z.string().exactOptional().describe('The name of a status that a transition leads to.'),
    ...shared,
  },
  customField,
);

export const closeFields = onlyField(
  'closed',
  'true',
  'Only true: a status that the workflow counts as done, the first that a transition leads to.',
  {
    label: z.string().exactOptional().describe('A label to be added, such as the reason.'),
  },
);

export const commentFields = z.strictObject({
  body: z.string().describe('The comment; an empty line begins a paragraph.'),
});
