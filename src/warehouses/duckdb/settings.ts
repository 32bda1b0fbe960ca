import { z } from 'zod';
import { setting } from '../../config/references.ts';

export const settingsSchema = z.strictObject({
  path: setting(z.string().min(1)).describe(
    'The database file, relative to the project. `:memory:` for none, to query files with `external_access`.',
  ),
  memory_limit: setting(z.string().regex(/^\d+(\.\d+)?\s?[KMGT]i?B$/, 'write a size such as 256MB'))
    .default('128MB')
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

export type Settings = z.infer<typeof settingsSchema>;
