import { z } from 'zod';
import { refused } from '../dbt.ts';

/** An output of dbt-duckdb; https://github.com/duckdb/dbt-duckdb#configuring-your-profile. Its `threads` are dbt's own. */
export const dbtSettings = z
  .looseObject({
    path: z.string().min(1).default(':memory:'),
    // What dbt attaches is read under a name that this database does not have.
    attach: refused('`attach`'),
    remote: refused('`remote`'),
  })
  .transform(({ path }): Record<string, unknown> => ({ path }));
