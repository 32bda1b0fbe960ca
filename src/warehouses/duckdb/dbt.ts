import { z } from 'zod';

/** What dbt attaches is read under a name that this database does not have. */
const refused = (what: string) =>
  z
    .custom(
      (value) => value === undefined || value === null || (Array.isArray(value) && value.length === 0),
      {
        error: `${what} is not supported here`,
      },
    )
    .optional();

/** An output of dbt-duckdb; https://github.com/duckdb/dbt-duckdb#configuring-your-profile. Its `threads` are dbt's own. */
export const dbtSettings = z
  .looseObject({
    path: z.string().min(1).default(':memory:'),
    attach: refused('`attach`'),
    remote: refused('`remote`'),
  })
  .transform(({ path }): Record<string, unknown> => ({ path }));
