import { z } from 'zod';

const label = z.string().regex(/^[a-z0-9_-]{0,63}$/);
const milliseconds = z.string().regex(/^\d+$/);

const listParameter = z.strictObject({
  name: z.string(),
  parameterType: z.strictObject({
    type: z.literal('ARRAY'),
    arrayType: z.strictObject({ type: z.string().regex(/^[A-Z0-9]+$/) }),
  }),
  parameterValue: z.strictObject({ arrayValues: z.array(z.strictObject({ value: z.string() })) }),
});

/**
 * What jobs.insert takes, as far as it is used here, and nothing else: int64 are texts, labels and ids have only the
 * characters that the reference allows. https://cloud.google.com/bigquery/docs/reference/rest/v2/Job
 */
export const insertRequest = z.strictObject({
  jobReference: z.strictObject({
    projectId: z.literal('acme'),
    jobId: z
      .string()
      .regex(/^[\w-]{1,1024}$/)
      .optional(),
    location: z.string().optional(),
  }),
  configuration: z.strictObject({
    dryRun: z.literal(true).optional(),
    jobTimeoutMs: milliseconds.optional(),
    labels: z.record(z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/), label).optional(),
    query: z.strictObject({
      query: z.string(),
      useLegacySql: z.literal(false),
      maximumBytesBilled: milliseconds.optional(),
      defaultDataset: z.strictObject({ projectId: z.string(), datasetId: z.string() }).optional(),
      parameterMode: z.literal('NAMED').optional(),
      queryParameters: z.array(listParameter).default([]),
    }),
  }),
});
export type InsertRequest = z.infer<typeof insertRequest>;

/** What jobs.getQueryResults takes. Without `useInt64Timestamp` times would come as floating-point numbers. */
export const resultsRequest = z.strictObject({
  location: z.string().default('US'),
  maxResults: z.coerce.number().int(),
  timeoutMs: z.coerce.number().int(),
  pageToken: z.base64url().optional(),
  'formatOptions.useInt64Timestamp': z.literal('true'),
  prettyPrint: z.literal('false'),
});
