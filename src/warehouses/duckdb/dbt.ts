import { z } from 'zod';
import { present, profileText, refused, secretOf } from '../dbt.ts';
import { isMotherDuck } from './motherduck.ts';

/** An output of dbt-duckdb; https://github.com/duckdb/dbt-duckdb#configuring-your-profile. Its `threads` are dbt's own. */
export const dbtSettings = z
  .looseObject({
    path: z.string().min(1).default(':memory:'),
    settings: z.looseObject({ motherduck_token: profileText() }).nullish(),
    // What dbt attaches is read under a name that this database does not have.
    attach: refused('`attach`'),
    remote: refused('`remote`'),
  })
  .transform(({ path: written, settings }): Record<string, unknown> => {
    if (!isMotherDuck(written)) return { path: written };
    // The token is one of the settings, or of the path's own parameters; or it is laid over the profile.
    const [path = '', parameters] = written.split('?');
    const inPath = new URLSearchParams(parameters).get('motherduck_token') ?? undefined;
    return present({ path, token: secretOf(settings?.motherduck_token ?? inPath) });
  });
