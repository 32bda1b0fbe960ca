import { z } from 'zod';
import { resolveSql } from '../dbt/sql.ts';
import type { ReadbackError } from '../errors.ts';
import { check, originIn } from './check.ts';
import { duration } from './duration.ts';
import type { SourceFile } from './files.ts';
import { splitHeader } from './header.ts';
import type { Enrichment } from './model.ts';
import { pickWarehouse, type SignalContext } from './signal.ts';
import { name, oneOrMore, text } from './vocabulary.ts';
import { parseYaml } from './yaml.ts';

/** The header of a `sql/enrich/*.sql` file. */
export const enrichmentSchema = z.strictObject({
  description: z.string().default('').describe('What the fields are.'),
  warehouse: name()
    .exactOptional()
    .describe('A warehouse of readback.yml. May be left out when there is only one.'),
  key: oneOrMore(text()).exactOptional().describe('The columns to look up by. The signal’s key if absent.'),
  fresh: duration().default(600_000).describe('How long a fetched row may be used again. 10m if absent.'),
  timeout: duration(1000).default(60_000).describe('Deadline of one query. 60s if absent.'),
});

/** Reads one enrichment file; undefined, with problems, when it is broken. Its key is empty until it is linked. */
export function readEnrichment(
  source: SourceFile,
  { warehouses, manifest }: Pick<SignalContext, 'warehouses' | 'manifest'>,
  problems: ReadbackError[],
): Enrichment | undefined {
  const { yaml, sqlLine, ...file } = splitHeader(source, '`fresh: 10m`');
  const located = parseYaml(source.file, yaml, problems);
  const header = located && check(enrichmentSchema, located.value ?? {}, originIn(located), problems);
  const warehouse = header && pickWarehouse(header.warehouse, warehouses, located, problems);
  const resolved = resolveSql({ file: source.file, sqlLine, ...file }, manifest, problems);
  if (!header || warehouse === undefined || !resolved) return undefined;
  return {
    name: source.name,
    file: source.file,
    warehouse,
    key: header.key ?? [],
    freshMs: header.fresh,
    timeoutMs: header.timeout,
    ...resolved,
    sqlLine,
  };
}
