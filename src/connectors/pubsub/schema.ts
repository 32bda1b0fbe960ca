import { z } from 'zod';
import { secret, setting } from '../../config/references.ts';
import { eventFields } from '../event.ts';

/** What stands in an address must be nothing but a name. */
const projectPattern = /^([a-z0-9.-]+:)?[a-z][a-z0-9-]*$/;

/** The YAML settings of a connection. */
export const settingsSchema = z.strictObject({
  project: setting(
    z.string().regex(projectPattern, 'write the id of a project, such as acme-events'),
  ).describe('The project of the topics.'),
  credentials: secret()
    .exactOptional()
    .describe(
      'The JSON key of a service account, as `file:key.json`. Application default credentials if absent.',
    ),
  impersonate: setting(z.email()).exactOptional().describe('The service account to act as.'),
  endpoint: setting(z.url().refine(isPrivate, 'write an https:// address'))
    .default('https://pubsub.googleapis.com')
    .describe('Another address of the API, as of a region: `https://europe-west3-pubsub.googleapis.com`.'),
});
export type Settings = z.infer<typeof settingsSchema>;

/** A token goes there with every request. */
function isPrivate(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === 'https:' || ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
}

export const publishFields = eventFields({
  ordering_key: z
    .string()
    .exactOptional()
    .describe('Messages with the same one are delivered in order, to subscriptions that ask for it.'),
});

export const publishOptions = z.strictObject({
  topic: z
    .string()
    .regex(/^[A-Za-z][\w.~+%-]{2,254}$/, 'write the id of a topic, without projects/…/topics/')
    .describe('The id of a topic of the project.'),
});
