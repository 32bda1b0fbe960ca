import { z } from 'zod';
import { secret, setting } from '../../config/references.ts';
import { onlyField } from '../fields.ts';

/** The YAML settings of a connection. */
export const settingsSchema = z.strictObject({
  api_key: secret().describe('A personal API key (Settings → Security & access → Personal API keys).'),
  base_url: setting(z.url())
    .exactOptional()
    .describe('Replaces https://api.linear.app, for a sandbox or a proxy.'),
});
export type Settings = z.infer<typeof settingsSchema>;

/** Values are checked by Linear, not here: what the loader sees is a template, not yet a value. */
const shared = {
  description: z.string().exactOptional().describe('Markdown.'),
  state: z.string().exactOptional().describe("The name of a state of the issue's team, or its id."),
  priority: z.string().exactOptional().describe('urgent, high, medium, low or none; or 0 to 4.'),
  labels: z.string().exactOptional().describe('Comma separated: names or ids, not both.'),
  assignee: z
    .string()
    .exactOptional()
    .describe('The email address of a member, or their id; empty for nobody.'),
  project: z.string().exactOptional().describe('The name of a project, or its id; empty for none.'),
  due_date: z.string().exactOptional().describe('A date, as 2027-01-31; empty for none.'),
};

export const createFields = z.strictObject({
  team: z.string().describe('The key of a team, as ENG, or its id.'),
  title: z.string().describe('The title: one line.'),
  ...shared,
});

export const updateFields = z.strictObject({
  title: z.string().exactOptional().describe('A new title.'),
  ...shared,
});

export const cancelFields = onlyField(
  'canceled',
  'true',
  "Only true: the first state of the type canceled that the issue's team has.",
);

export const commentFields = z.strictObject({
  body: z.string().describe('The comment, in Markdown.'),
});
