import { z } from 'zod';
import { secret, setting } from '../../config/references.ts';
import { jsonField } from '../json.ts';
import { blocksFault } from './blocks.ts';

/** The YAML settings of a connection. */
export const settingsSchema = z.strictObject({
  bot_token: secret().describe('The bot token of a Slack app (`xoxb-…`).'),
  base_url: setting(z.url())
    .exactOptional()
    .describe('Replaces https://slack.com/api/, for a sandbox or a proxy.'),
});
export type Settings = z.infer<typeof settingsSchema>;

const text = z.string().describe('The message, in Slack’s mrkdwn. Values from templates are escaped for it.');
const blocks = jsonField(blocksFault)
  .exactOptional()
  .describe(
    'Block Kit blocks: a JSON list of at most 50; `text` is then the notification. Print values as `{{ name | json }}`.',
  );

export const postFields = z.strictObject({
  channel: z.string().describe('A channel id (C0123456789), better than a name (#retention).'),
  text,
  blocks,
}) as unknown as z.ZodType<Record<string, string>>;

export const directFields = z.strictObject({
  email: z.string().describe('The email of a person of the workspace, as Slack knows it.'),
  text,
  blocks,
}) as unknown as z.ZodType<Record<string, string>>;

export const messageFields = z.strictObject({ text, blocks }) as unknown as z.ZodType<Record<string, string>>;

export const postOptions = z.strictObject({
  unfurl_links: z.boolean().exactOptional().describe('Whether Slack shows previews of linked pages.'),
});
export const replyOptions = z.strictObject({
  reply_broadcast: z.boolean().exactOptional().describe('Whether the reply is shown in the channel too.'),
  unfurl_links: z.boolean().exactOptional().describe('Whether Slack shows previews of linked pages.'),
});
export const updateOptions = z.strictObject({});
