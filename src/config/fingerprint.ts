import { createHash } from 'node:crypto';
import type { Project } from './model.ts';

/** One hash for each signal and destination, kept in `target/manifest.json` so that `state:modified` can compare. */
export interface Fingerprints {
  signals: Record<string, string>;
  destinations: Record<string, string>;
}

/** What every signal and destination of a project amounts to. Moving or reformatting a file changes nothing. */
export function fingerprints(project: Project): Fingerprints {
  const signals = [...project.signals.values()].map(
    ({ name, file: _, places: __, sqlLine: ___, dbt: ____, ...signal }) => [
      name,
      digest({ ...signal, sql: signal.sql.trim() }),
    ],
  );
  const destinations = [...project.destinations.values()].map(
    ({ name, file: _, places: __, ...destination }) => [
      name,
      digest([
        destination,
        project.connections.get(destination.connection)?.actions[destination.action]?.version,
        destination.enrich.map((enrichment) => enrichmentText(project, enrichment)),
      ]),
    ],
  );
  return { signals: Object.fromEntries(signals), destinations: Object.fromEntries(destinations) };
}

function enrichmentText(project: Project, name: string): unknown {
  const enrichment = project.enrichments.get(name);
  return enrichment && [enrichment.warehouse, enrichment.key, enrichment.freshMs, enrichment.sql.trim()];
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value, canonical)).digest('hex').slice(0, 16);
}

/** In which order a map's keys are written says nothing. */
function canonical(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
