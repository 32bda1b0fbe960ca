import { suggest } from '../config/suggest.ts';
import type { Call, Literal } from './jinja.ts';
import type { Manifest, Node, Source } from './manifest.ts';

/** What a call means in the warehouse. */
export interface Relation {
  /** dbt's unique id, as `model.shop.customers`. */
  id: string;
  /** As SQL names it, quoted. */
  name: string;
  /** The call in dbt's own words, as `ref('customers')`. */
  call: string;
}

export interface Mistake {
  message: string;
  hint: string | undefined;
}

/** What `ref()` and `source()` of a manifest mean; a mistake for what they cannot mean. */
export function relationOf(manifest: Manifest, call: Call): Relation | Mistake {
  const { positional, named } = call;
  const words = positional.every((word) => typeof word === 'string') ? positional.map(String) : [];
  const version = versionOf(call);
  const others = [...named.keys()].some((key) => key !== 'v' && key !== 'version');
  const fits = words.length === positional.length && !others;
  if (call.name === 'source' && words.length === 2 && fits && version === undefined)
    return sourceRelation(manifest, call, words[0] ?? '', words[1] ?? '');
  if (call.name === 'ref' && (words.length === 1 || words.length === 2) && fits)
    return refRelation(manifest, call, words.at(-1) ?? '', words.length === 2 ? words[0] : undefined);
  return { message: `\`${call.name}\` is not called like this`, hint: supported };
}

function versionOf({ named }: Call): Literal | undefined {
  return named.get('v') ?? named.get('version');
}

/** A call in one way of writing it. */
export function callText(call: Call): string {
  const written = (value: Literal) => (typeof value === 'string' ? `'${value}'` : String(value));
  const version = versionOf(call);
  const words = call.positional.map(written);
  return `${call.name}(${[...words, ...(version === undefined ? [] : [`v=${written(version)}`])].join(', ')})`;
}

export const supported =
  "write {{ ref('model') }}, {{ ref('package', 'model', v=2) }} or {{ source('source', 'table') }}";

function sourceRelation(manifest: Manifest, call: Call, source: string, table: string): Relation | Mistake {
  const tables = manifest.sources.filter((one) => one.source_name === source);
  if (tables.length === 0) {
    const names = new Set(manifest.sources.map((one) => one.source_name));
    return unknown(manifest, `source \`${source}\``, suggest(source, names));
  }
  const matching = tables.filter((one) => one.name === table);
  if (matching.length === 0) {
    const names = tables.map((one) => one.name);
    return unknown(manifest, `table \`${table}\` in source \`${source}\``, suggest(table, names));
  }
  return relation(manifest, matching, call);
}

function refRelation(
  manifest: Manifest,
  call: Call,
  model: string,
  inPackage: string | undefined,
): Relation | Mistake {
  const version = versionOf(call);
  const inScope = manifest.nodes.filter((one) => inPackage === undefined || one.package_name === inPackage);
  const named = inScope.filter((one) => one.name === model);
  if (named.length === 0) {
    const where = inPackage === undefined ? '' : ` in package \`${inPackage}\``;
    const names = new Set(inScope.map((one) => one.name));
    return unknown(manifest, `model \`${model}\`${where}`, suggest(model, names));
  }
  const wanted = (one: Node) => String(version ?? one.latest_version ?? '') === String(one.version ?? '');
  const matching = named.filter(wanted);
  if (matching.length === 0) {
    const versions = named.map((one) => String(one.version ?? 'none'));
    return unknown(
      manifest,
      `version ${String(version)} of \`${model}\``,
      `known here: ${versions.join(', ')}`,
    );
  }
  return relation(manifest, matching, call);
}

/** The one of the project itself, as dbt has it; one of two packages would be a guess. */
function relation(
  manifest: Manifest,
  matching: readonly (Node | Source)[],
  written: Call,
): Relation | Mistake {
  const call = callText(written);
  const own = matching.filter((one) => one.package_name === manifest.projectName);
  const [found, twin] = own.length > 0 ? own : matching;
  if (!found || twin)
    return {
      message: `\`${call}\` is in packages ${matching.map((one) => one.package_name).join(' and ')}`,
      hint: "name the package: {{ ref('package', 'model') }}",
    };
  if (!found.relation_name)
    return {
      message: `\`${call}\` is not in the warehouse: dbt gives it no relation`,
      hint: 'an ephemeral model cannot be read; materialize it as a view or table',
    };
  return { id: found.id, name: found.relation_name, call };
}

function unknown(manifest: Manifest, what: string, hint: string | undefined): Mistake {
  return {
    message: `there is no ${what} in ${manifest.file}`,
    hint: hint ?? 'let dbt write it again: `dbt parse`',
  };
}
