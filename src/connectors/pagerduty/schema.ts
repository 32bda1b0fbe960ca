import { z } from 'zod';
import { secret, setting } from '../../config/references.ts';
import { withCustomFields } from '../fields.ts';

/** The YAML settings of a connection. */
export const settingsSchema = z.strictObject({
  routing_key: secret().describe('The integration key of an Events API v2 integration on a service.'),
  api_token: secret()
    .exactOptional()
    .describe(
      'A read-only REST API key. Without it nothing can be read back, and actions end as unverifiable.',
    ),
  region: setting(z.enum(['us', 'eu']))
    .default('us')
    .describe('The service region of the account.'),
  base_url: setting(z.url())
    .exactOptional()
    .describe(
      'Replaces both https://events.pagerduty.com and https://api.pagerduty.com, for a sandbox or a proxy.',
    ),
});
export type Settings = z.infer<typeof settingsSchema>;

/** An entry of the alert's custom details: `detail_customer`. */
export const detailField = /^detail_(\w+)$/;

/** Values are checked by PagerDuty, not here: what the loader sees is a template, not yet a value. */
export const triggerFields = withCustomFields(
  {
    summary: z.string().describe('The title of the alert: at most 1,024 characters.'),
    source: z.string().describe('What has the problem: a host, a warehouse, a customer.'),
    severity: z.string().describe('critical, error, warning or info.'),
    component: z.string().exactOptional().describe('The part of the source that is affected.'),
    group: z.string().exactOptional().describe('A group of sources.'),
    class: z.string().exactOptional().describe('The kind of problem.'),
    link: z.string().exactOptional().describe('An address to show on the alert.'),
  },
  detailField,
);

export const updateFields = z.strictObject({
  status: z.string().describe('acknowledged or resolved.'),
});
