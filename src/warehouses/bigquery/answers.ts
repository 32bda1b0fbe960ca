import { z } from 'zod';

/** A column, or a field of one. Types have the names of the REST API: INTEGER, not INT64. */
export interface Field {
  name: string;
  type: string;
  mode?: string | undefined;
  fields?: Field[] | undefined;
}

const field: z.ZodType<Field> = z.object({
  name: z.string(),
  type: z.string(),
  mode: z.string().optional(),
  fields: z.lazy(() => z.array(field)).optional(),
});
const schema = z.object({ fields: z.array(field).default([]) });

const count = z.string().regex(/^\d+$/);

/**
 * A job, as jobs.insert and jobs.get tell of it. The id is absent from a dry run's.
 * https://cloud.google.com/bigquery/docs/reference/rest/v2/Job
 */
export const jobAnswer = z.object({
  jobReference: z.object({ jobId: z.string().optional(), location: z.string().optional() }),
  status: z.object({
    state: z.string(),
    errorResult: z.object({ reason: z.string().default(''), message: z.string().default('') }).optional(),
  }),
  statistics: z
    .object({
      creationTime: count.optional(),
      totalBytesProcessed: count.optional(),
      query: z.object({ statementType: z.string().optional(), schema: schema.optional() }).optional(),
    })
    .default({}),
});
export type JobAnswer = z.infer<typeof jobAnswer>;

/**
 * A page of a result, or the news that there is none yet. `rows` is absent when there are none.
 * https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/getQueryResults
 */
export const pageAnswer = z.union([
  z.object({ jobComplete: z.literal(false) }),
  z.object({
    jobComplete: z.literal(true),
    schema,
    totalRows: count,
    rows: z.array(z.unknown()).default([]),
    pageToken: z.string().optional(),
  }),
]);
export type PageAnswer = z.infer<typeof pageAnswer>;

/** What jobs.cancel answers is not needed. */
export const anyAnswer = z.unknown();
