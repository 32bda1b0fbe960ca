import { z } from 'zod';
import { secret, setting } from '../../config/references.ts';
import { isMotherDuck } from './motherduck.ts';

const fields = z.strictObject({
  path: setting(z.string().min(1)).describe(
    'The database file, relative to the project. `:memory:` for none, to query files with `external_access`. `md:NAME` for a database of MotherDuck.',
  ),
  token: secret()
    .exactOptional()
    .describe('Of MotherDuck: a read scaling token, which cannot write. Only with `path: md:NAME`.'),
  // Members that are fetched fill it: beside it a poller has 140 MB, of which 76 MB are mapped files, and 30 MB that DuckDB does
  // not count. So the first poll of 5M rows stays below 300 MB: 276 MB, with 128MB 301 to 338 MB. It costs
  // 3 s of processor time.
  memory_limit: setting(z.string().regex(/^\d+(\.\d+)?\s?[KMGT]i?B$/, 'write a size such as 256MB'))
    .default('96MB')
    .describe('What DuckDB may hold in memory; more goes to temporary files.'),
  threads: setting(z.coerce.number().int().min(1).max(64)).default(2).describe('Threads for one query.'),
  temp_directory: setting(z.string().min(1))
    .exactOptional()
    .describe('Where temporary files go. The directory of the system if absent.'),
  external_access: setting(z.stringbool().or(z.boolean()))
    .default(false)
    .describe('Lets SQL read other files and addresses, as `read_parquet` does.'),
  scratch_path: setting(z.string().min(1))
    .exactOptional()
    .describe(
      'A database file of Readback’s own, for signals with `diff: warehouse`. Made when it is not there.',
    ),
});

export const settingsSchema = fields
  .refine(({ path }) => !isMotherDuck(path) || /^md:\w+$/.test(path), {
    path: ['path'],
    // Never with the value: what follows a question mark there may be a token.
    error: 'write md:NAME, and the token as token: env:MOTHERDUCK_TOKEN',
  })
  .refine(({ path, token }) => isMotherDuck(path) === (token !== undefined), {
    path: ['token'],
    error: 'path: md:NAME and token belong together',
  })
  .refine(({ path, scratch_path: scratch }) => !isMotherDuck(path) || scratch === undefined, {
    path: ['scratch_path'],
    error: 'no snapshots are kept beside MotherDuck; write `diff: digest` in the signals instead',
  });
export type Settings = z.infer<typeof settingsSchema>;
