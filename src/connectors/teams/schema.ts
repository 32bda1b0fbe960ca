import { z } from 'zod';
import { secret } from '../../config/references.ts';
import { jsonField } from '../json.ts';
import { cardFault } from './card.ts';

/** The YAML settings of a connection. */
export const settingsSchema = z.strictObject({
  webhook_url: secret().describe(
    'The whole address of a workflow that posts to a channel or chat; whoever knows it can post there.',
  ),
});
export type Settings = z.infer<typeof settingsSchema>;

export const messageFields = z.strictObject({
  text: z.string().describe('The message: bold, italics, lists and links in Markdown.'),
  title: z.string().exactOptional().describe('A headline above the text.'),
  link: z.string().exactOptional().describe('An address to open with a button below the text.'),
  link_title: z.string().exactOptional().describe('What is written on the button; Open if absent.'),
  card: jsonField(cardFault)
    .exactOptional()
    .describe('A whole Adaptive Card as JSON, shown instead; text is then what is read where cards are not.'),
}) as unknown as z.ZodType<Record<string, string>>;
