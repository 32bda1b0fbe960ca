import { stringify } from 'yaml';
import type { Destination, Project, Signal } from '../config/model.ts';
import { ReadbackError } from '../errors.ts';
import type { DbtSql } from './sql.ts';

/** The first line of a file that may be overwritten. */
export const exposuresMarker = '# Written by `readback dbt exposures`; changes here will be overwritten.';

export interface Exposures {
  /** The file: dbt YAML. */
  text: string;
  /** How many exposures are in it. */
  count: number;
  /** Signals and destinations that read nothing of dbt's, and so are not in it. */
  left: string[];
}

interface Exposure {
  name: string;
  label: string;
  type: 'application';
  description: string;
  owner: { name: string; email?: string };
  depends_on: string[];
  config: { tags: string[]; meta: Record<string, unknown> };
}

/**
 * Signals and destinations as exposures of dbt, so that its docs and its `+exposure:` selection know them. `meta` and `tags`
 * are under `config`, as since dbt 1.10: https://docs.getdbt.com/reference/exposure-properties
 *
 * @throws ReadbackError CONFIG_VALUE when two names become one
 */
export function exposures(project: Project): Exposures {
  const items = [
    ...[...project.signals.values()].map((signal) => signalExposure(project, signal)),
    ...[...project.destinations.values()].map((destination) => destinationExposure(project, destination)),
  ];
  const shown = items.filter(({ depends_on }) => depends_on.length > 0);
  const twin = shown.find((one, at) => shown.findIndex(({ name }) => name === one.name) < at);
  if (twin)
    throw new ReadbackError('CONFIG_VALUE', `two exposures would be named \`${twin.name}\``, {
      hint: 'dbt knows no `-` in a name; rename one of the files',
    });
  const yaml = stringify(
    { version: 2, exposures: shown.sort((a, b) => (a.name < b.name ? -1 : 1)) },
    { lineWidth: 0, aliasDuplicateObjects: false },
  );
  return {
    text: `${exposuresMarker}\n${yaml}`,
    count: shown.length,
    left: items.filter(({ depends_on }) => depends_on.length === 0).map(({ label }) => label),
  };
}

function signalExposure(project: Project, signal: Signal): Exposure {
  const { name, file, description, owner, tags, key, severity } = signal;
  return {
    name: `readback_signal_${snake(name)}`,
    label: `Signal ${name}`,
    type: 'application',
    description: literal(description),
    owner: ownerOf(owner, project),
    depends_on: calls(signal.dbt),
    config: { tags, meta: { readback: { project: project.name, signal: name, file, key, severity } } },
  };
}

function destinationExposure(project: Project, destination: Destination): Exposure {
  const { name, file, description, owner, tags, signals, connector, action } = destination;
  const readings = [
    ...signals.map((signal) => project.signals.get(signal)?.dbt),
    ...destination.enrich.map((enrichment) => project.enrichments.get(enrichment)?.dbt),
  ];
  return {
    name: `readback_destination_${snake(name)}`,
    label: `Destination ${name}`,
    type: 'application',
    description: literal(description),
    owner: ownerOf(owner, project),
    depends_on: calls(...readings),
    config: {
      tags,
      meta: { readback: { project: project.name, destination: name, file, signals, connector, action } },
    },
  };
}

function calls(...readings: (DbtSql | undefined)[]): string[] {
  const all = readings.flatMap((dbt) => dbt?.references.map(({ call }) => call) ?? []);
  return [...new Set(all)].sort();
}

/** dbt wants a name or an e-mail address of everyone. */
function ownerOf(owner: string | undefined, project: Project): Exposure['owner'] {
  if (owner === undefined) return { name: project.name };
  return owner.includes('@') ? { name: owner.split('@')[0] ?? owner, email: owner } : { name: owner };
}

function snake(name: string): string {
  return name.replaceAll('-', '_').toLowerCase();
}

/** dbt takes a description for a template too. */
function literal(text: string): string {
  return /\{[{%#]/.test(text) ? `{% raw %}${text}{% endraw %}` : text;
}
