import type { Destination, Enrichment, Project, Signal } from '../config/model.ts';
import { parseCall } from '../dbt/jinja.ts';
import { callText } from '../dbt/relations.ts';
import { renderSql } from '../dbt/sql.ts';
import { ReadbackError } from '../errors.ts';
import { everything } from '../warehouses/given.ts';
import type { Fixture, Warehouse } from '../warehouses/warehouse.ts';
import type { Given, UnitTest } from './definition.ts';

type Query = Pick<Signal | Enrichment, 'sql' | 'dbt' | 'warehouse' | 'timeoutMs' | 'name'>;

/** A given table with the name it has while the test runs. */
interface Table {
  given: Given;
  /** As dbt's call, where it is one. */
  call: string | undefined;
  alias: string;
}

/** The project with the signal and its enrichments reading what is given instead of what the warehouse holds. */
export async function projectWith(
  given: readonly Given[],
  test: UnitTest,
  project: Project,
  open: (name: string) => Promise<Warehouse>,
): Promise<{ project: Project; signal: Signal }> {
  const signal = project.signals.get(test.signal) as Signal;
  const tables = given.map((one, at) => tableOf(one, at));
  const destinations = [...project.destinations.values()].filter((one) => one.signals.includes(signal.name));
  const enrichments = enrichmentsOf(
    project,
    destinations.filter(({ name }) => test.actions.has(name)),
  );
  requireGiven([signal, ...enrichments], tables, test);
  requireRead([signal, ...enrichmentsOf(project, destinations)], tables, test);
  const replaced = async <One extends Query>(query: One): Promise<One> => ({
    ...query,
    sql: await givenTo(query, tables, await open(query.warehouse)),
  });
  const tested = await replaced(signal);
  const enriched = await Promise.all(enrichments.map(replaced));
  return {
    signal: tested,
    project: {
      ...project,
      signals: new Map([[signal.name, tested]]),
      enrichments: new Map(enriched.map((one) => [one.name, one])),
      destinations: new Map([...project.destinations].filter(([name]) => test.actions.has(name))),
    },
  };
}

function tableOf(given: Given, at: number): Table {
  const call = parseCall(given.input);
  if (call?.name === 'ref' || call?.name === 'source')
    return { given, call: callText(call), alias: `readback_given_${at + 1}` };
  // A name alone is hidden by the rows of that name; one with a schema has to be replaced.
  const alias = given.input.includes('.') ? `readback_given_${at + 1}` : given.input;
  return { given, call: undefined, alias };
}

function enrichmentsOf(project: Project, destinations: readonly Destination[]): Enrichment[] {
  const names = destinations.flatMap(({ enrich }) => enrich);
  return [...new Set(names)].flatMap((name) => project.enrichments.get(name) ?? []);
}

/** What the queries refer to, in dbt's words. */
function callsOf(queries: readonly Query[]): Set<string> {
  return new Set(queries.flatMap(({ dbt }) => dbt?.references.map(({ call }) => call) ?? []));
}

/** What is referred to and not given would be read from the warehouse. */
function requireGiven(queries: readonly Query[], tables: readonly Table[], test: UnitTest): void {
  const lacking = [...callsOf(queries)].find((call) => !tables.some((table) => table.call === call));
  if (lacking !== undefined)
    throw new ReadbackError('CONFIG_KEY', `\`${lacking}\` is not given`, {
      place: test.signalPlace,
      hint: `${test.signal} reads it; add it under given:, with rows: [] for none`,
    });
}

/** What is given and not read is a slip in its name. */
function requireRead(queries: readonly Query[], tables: readonly Table[], test: UnitTest): void {
  const calls = callsOf(queries);
  const unread = tables.find(({ given, call }) =>
    call === undefined
      ? !queries.some(({ sql }) => naming(given.input).test(stripped(sql)))
      : !calls.has(call),
  );
  if (unread)
    throw new ReadbackError('CONFIG_REFERENCE', `nothing here reads \`${unread.given.input}\``, {
      place: unread.given.place,
      hint:
        calls.size > 0
          ? `known here: ${[...calls].join(', ')}`
          : `write it as the SQL of ${test.signal} does`,
    });
}

async function givenTo(query: Query, tables: readonly Table[], warehouse: Warehouse): Promise<string> {
  const calls = new Map(query.dbt?.references.map(({ call, name }) => [call, name]));
  const used = tables.filter(({ call, given }) =>
    call === undefined ? naming(given.input).test(stripped(query.sql)) : calls.has(call),
  );
  if (used.length === 0) return query.sql;
  const aliases = new Map(tables.map(({ call, alias }) => [call, alias]));
  let sql = query.dbt ? renderSql(query.dbt, ({ call, name }) => aliases.get(call) ?? name) : query.sql;
  for (const { given, alias, call } of used)
    if (call === undefined && alias !== given.input) sql = replaced(sql, given.input, alias);
  const fixtures: Fixture[] = [];
  for (const table of used) {
    const relation = (table.call && calls.get(table.call)) ?? table.given.input;
    fixtures.push(await fixtureOf(table, relation, warehouse, query.timeoutMs));
  }
  return warehouse.given(sql, fixtures);
}

async function fixtureOf(
  { given, alias }: Table,
  relation: string,
  warehouse: Warehouse,
  timeoutMs: number,
): Promise<Fixture> {
  const columns = given.columns
    ? Object.entries(given.columns).map(([name, nativeType]) => ({ name, nativeType }))
    : await warehouse.describe(everything(relation), { timeoutMs }).catch((error: ReadbackError) => {
        throw new ReadbackError(error.code, `the columns of \`${given.input}\`: ${error.message}`, {
          place: given.place,
          hint: 'write them, so that the warehouse is not asked: columns: { id: integer }',
        });
      });
  const known = new Set(columns.map(({ name }) => name));
  const stray = given.rows.flatMap((row) => [...row.keys()]).find((name) => !known.has(name));
  if (stray !== undefined)
    throw new ReadbackError('CONFIG_REFERENCE', `\`${given.input}\` has no column \`${stray}\``, {
      place: given.place,
      hint: `known here: ${[...known].join(', ')}`,
    });
  const rows = given.rows.map((row) => columns.map(({ name }) => row.get(name) ?? null));
  return { name: alias, columns, rows };
}

const opaque = /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'/g;

/** Without comments and strings: a name in one of those is not read. */
export function stripped(sql: string): string {
  return sql.replaceAll(opaque, ' ');
}

/** A name as a whole, not as a part of a longer one. */
function naming(name: string): RegExp {
  const exact = name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(?<![\\w$."\`])${exact}(?![\\w$"\`])`, 'i');
}

function replaced(sql: string, name: string, alias: string): string {
  const pattern = new RegExp(`${opaque.source}|(?<name>${naming(name).source})`, 'gi');
  return sql.replaceAll(pattern, (text, ...rest) => {
    const { name: found } = rest.at(-1) as { name?: string };
    return found === undefined ? text : alias;
  });
}
