import { z } from 'zod';
import { ReadbackError } from '../errors.ts';
import { type Manifest, readArtifact, type Source } from './manifest.ts';

/** What holds a poll: a source that dbt warns of, or only one that it calls an error. */
export const freshnessLevels = ['warn', 'error'] as const;
export type FreshnessLevel = (typeof freshnessLevels)[number];

/** Which sources decide whether a signal's data is fresh, and where dbt says what it knows of them. */
export interface SourceFreshness {
  path: string;
  /** The same as the user knows it. */
  shown: string;
  /** dbt's ids. */
  sources: readonly string[];
}

const limit = z
  .looseObject({ count: z.number().nullish(), period: z.enum(['minute', 'hour', 'day']).nullish() })
  .nullish();

/** https://schemas.getdbt.com/dbt/sources/v3.json */
const sourcesSchema = z.looseObject({
  results: z.array(
    z.looseObject({
      unique_id: z.string(),
      status: z.string(),
      max_loaded_at: z.string().nullish(),
      snapshotted_at: z.string().nullish(),
      criteria: z.looseObject({ warn_after: limit, error_after: limit }).nullish(),
    }),
  ),
});

type Result = z.output<typeof sourcesSchema>['results'][number];

/** The sources behind what is referred to, as far as dbt has limits for them. */
export function freshnessOf(manifest: Manifest, references: readonly { id: string }[]): SourceFreshness {
  const parents = new Map(manifest.nodes.map((node) => [node.id, node.depends_on?.nodes ?? []]));
  const reached = new Set<string>();
  const queue = references.map(({ id }) => id);
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    if (reached.has(id)) continue;
    reached.add(id);
    queue.push(...(parents.get(id) ?? []));
  }
  const judged = manifest.sources.filter((source) => reached.has(source.id) && hasLimit(source));
  return {
    path: `${manifest.project.artifacts}/sources.json`,
    shown: `${manifest.project.shown}/sources.json`,
    sources: judged.map(({ id }) => id).sort(),
  };
}

function hasLimit({ freshness, config }: Source): boolean {
  const { warn_after, error_after } = freshness ?? config?.freshness ?? {};
  return [warn_after, error_after].some((one) => typeof one?.count === 'number');
}

/**
 * Why the sources are not fresh enough to be believed; undefined when they are. What dbt found is judged by the clock of
 * now: an hour that it was not asked for counts as an hour without data.
 */
export async function staleSource(
  { path, shown, sources }: SourceFreshness,
  level: FreshnessLevel,
  now = Date.now(),
): Promise<string | undefined> {
  let results: Result[];
  try {
    const content = await readArtifact(path, (message) => new ReadbackError('CONFIG_FILE', message));
    results = sourcesSchema.parse(content).results;
  } catch (error) {
    const why =
      error instanceof ReadbackError ? error.message : 'it is not what `dbt source freshness` writes';
    return `${shown} does not say how fresh the sources are: ${why}`;
  }
  const byId = new Map(results.map((result) => [result.unique_id, result]));
  for (const id of sources) {
    const name = id.split('.').slice(2).join('.');
    const result = byId.get(id);
    if (!result) return `${shown} does not say how fresh ${name} is; run \`dbt source freshness\``;
    const stale = judged(result, level, now);
    if (stale) return `source ${name} ${stale}`;
  }
  return undefined;
}

const periodMs = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

function judged(result: Result, level: FreshnessLevel, now: number): string | undefined {
  const loadedAt = Date.parse(result.max_loaded_at ?? '');
  if (!['pass', 'warn', 'error'].includes(result.status.toLowerCase()) || Number.isNaN(loadedAt))
    return `could not be judged by dbt: ${result.status}`;
  const { warn_after, error_after } = result.criteria ?? {};
  const limits = { error_after, ...(level === 'warn' && { warn_after }) };
  for (const [name, after] of Object.entries(limits)) {
    if (typeof after?.count !== 'number' || !after.period) continue;
    if (now - loadedAt <= after.count * periodMs[after.period]) continue;
    const asked = result.snapshotted_at ? `, as far as dbt knew at ${result.snapshotted_at}` : '';
    const most = `${after.count} ${after.period}${after.count === 1 ? '' : 's'}`;
    return `was loaded last at ${result.max_loaded_at}${asked}; ${name} is ${most}`;
  }
  return undefined;
}
