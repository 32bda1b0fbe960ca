import { z } from 'zod';
import { secret, setting } from '../../config/references.ts';
import { isRefused } from '../addresses.ts';
import { withCustomFields } from '../fields.ts';

const address = () =>
  setting(
    z
      .url({ protocol: /^https?$/, error: 'must be an address such as https://acme.example/hooks' })
      .refine((url) => !/[@#\s]/.test(url), 'an address without user and #'),
  );

/** The YAML settings of a connection. */
export const settingsSchema = z
  .strictObject({
    url: address().describe('Where events are posted. Redirects are not followed.'),
    secret: secret().describe('Signs the events: `whsec_` and base64; any other text is taken as it is.'),
    previous_secret: secret()
      .exactOptional()
      .describe('While the secret is rotated: events are signed with both, the new one first.'),
    read_url: address()
      .refine((url) => url.includes('{id}'), 'must contain {id}, for the webhook-id of the event')
      .exactOptional()
      .describe('Answers the event that the receiver holds, as JSON: `https://acme.example/events/{id}`.'),
    read_token: secret().exactOptional().describe('Sent to read_url as Authorization: Bearer ….'),
    link_local: z.boolean().default(false).describe('Allows addresses such as 169.254.169.254.'),
  })
  .superRefine(({ url, read_url, link_local }, context) => {
    for (const [name, value] of Object.entries({ url, read_url }))
      if (!link_local && value !== undefined && URL.canParse(value) && isRefused(new URL(value).hostname))
        context.addIssue({
          code: 'custom',
          path: [name],
          message: 'is a link-local or metadata address; write link_local: true if that is meant',
        });
  });
export type Settings = z.infer<typeof settingsSchema>;

export const eventFields = withCustomFields(
  {
    type: z.string().describe('What happened, such as `stock.low`.'),
    timestamp: z
      .string()
      .exactOptional()
      .describe('When it happened, in ISO 8601; the time of the attempt if absent.'),
  },
  /^[A-Za-z_]\w{0,99}$/,
);
