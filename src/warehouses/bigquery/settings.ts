import { z } from 'zod';
import { secret, setting } from '../../config/references.ts';
import { bytesOf, sizePattern } from '../bytes.ts';

const text = () => setting(z.string().min(1)).exactOptional();

/** What stands in an address must be nothing but a name. */
const projectPattern = /^([a-z0-9.-]+:)?[a-z][a-z0-9-]*$/;

export const settingsSchema = z.strictObject({
  project: setting(
    z.string().regex(projectPattern, 'write the id of a project, such as acme-analytics'),
  ).describe('The project that runs the queries and pays for them. Tables may be in others.'),
  dataset: setting(z.string().regex(/^([a-z0-9.:-]+\.)?\w+$/, 'write dataset, or project.dataset'))
    .exactOptional()
    .describe('Where tables without a dataset are looked for: `dataset`, or `project.dataset`.'),
  location: text().describe('Where queries run, such as `EU`. Where their tables are, if absent.'),
  credentials: secret()
    .exactOptional()
    .describe(
      'The JSON key of a service account, as `file:key.json`. Application default credentials if absent.',
    ),
  impersonate: setting(z.email()).exactOptional().describe('The service account to act as.'),
  maximum_bytes_billed: setting(z.string().regex(sizePattern, 'write a size such as 50GB').transform(bytesOf))
    .exactOptional()
    .describe('A size such as `50GB`, `512MiB`: a query that would scan more fails and costs nothing.'),
  endpoint: setting(z.url().refine(isPrivate, 'write an https:// address'))
    .default('https://bigquery.googleapis.com')
    .describe('Another address of the API, as for Private Service Connect.'),
});

export type Settings = z.infer<typeof settingsSchema>;

/** A token goes there with every request. */
function isPrivate(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === 'https:' || ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
}
