import type { Destination, Enrichment, Project } from '../config/model.ts';
import { suggest } from '../config/suggest.ts';
import { ReadbackError } from '../errors.ts';
import { compileDestination } from '../openings.ts';
import type { Warehouse } from '../warehouses/warehouse.ts';
import { inStatement, statementPlace } from './places.ts';
import { describeSignal } from './signals.ts';
import { missingVariables, providedColumns } from './variables.ts';

/** Opens a warehouse of the project, once. */
export type OpenWarehouse = (name: string) => Promise<Warehouse>;

const checkTimeoutMs = 15_000;

/**
 * What only the warehouses can tell: whether they take the SQL, and whether it returns the columns that keys,
 * conditions and templates need. Nothing is run but descriptions.
 *
 * @param onProgress told of each signal and enrichment that is done
 */
export async function validateAgainstWarehouses(
  project: Project,
  open: OpenWarehouse,
  onProgress: (name: string) => void = () => {},
): Promise<ReadbackError[]> {
  const problems: ReadbackError[] = [];
  const warehouses = await openAll(project, open, problems);
  const signalColumns = new Map<string, string[]>();
  for (const signal of project.signals.values()) {
    const warehouse = warehouses.get(signal.warehouse);
    const columns = warehouse && (await describeSignal(signal, warehouse, problems));
    if (columns)
      signalColumns.set(
        signal.name,
        columns.map((column) => column.name),
      );
    onProgress(signal.name);
  }
  const enrichmentColumns = new Map<string, string[]>();
  for (const enrichment of project.enrichments.values()) {
    const warehouse = warehouses.get(enrichment.warehouse);
    const columns = warehouse && (await describeEnrichment(enrichment, project, warehouse, problems));
    if (columns) enrichmentColumns.set(enrichment.name, columns);
    onProgress(enrichment.name);
  }
  for (const destination of project.destinations.values()) {
    const provided = providedColumns(destination, project.signals, signalColumns, enrichmentColumns);
    problems.push(...checkVariables(project, destination, provided));
  }
  return problems;
}

/** Each warehouse that something needs, proven to answer. One that does not is one problem, not one per signal. */
async function openAll(
  project: Project,
  open: OpenWarehouse,
  problems: ReadbackError[],
): Promise<Map<string, Warehouse>> {
  const users = [...project.signals.values(), ...project.enrichments.values()];
  const warehouses = new Map<string, Warehouse>();
  for (const name of new Set(users.map((user) => user.warehouse))) {
    try {
      const warehouse = await open(name);
      await warehouse.check({ timeoutMs: checkTimeoutMs });
      warehouses.set(name, warehouse);
    } catch (error) {
      if (!(error instanceof ReadbackError)) throw error;
      problems.push(
        new ReadbackError(error.code, `warehouse ${name}: ${error.message}`, {
          place: error.place ?? project.warehouses.get(name)?.place,
          value: error.value,
          hint: error.hint,
          cause: error,
        }),
      );
    }
  }
  return warehouses;
}

async function describeEnrichment(
  enrichment: Enrichment,
  project: Project,
  warehouse: Warehouse,
  problems: ReadbackError[],
): Promise<string[] | undefined> {
  try {
    const columns = await warehouse.describe(enrichment.sql, {
      timeoutMs: enrichment.timeoutMs,
      label: enrichment.name,
    });
    const names = columns.map((column) => column.name);
    for (const key of keysOf(enrichment, project)) {
      if (names.includes(key)) continue;
      problems.push(
        new ReadbackError('SIGNAL_SQL', 'the enrichment does not return its key column', {
          place: statementPlace(enrichment),
          value: key,
          hint: suggest(key, names),
        }),
      );
    }
    return names;
  } catch (error) {
    problems.push(inStatement(error, enrichment));
    return undefined;
  }
}

/** An enrichment without a key of its own is asked by the keys of the signals that use it. */
function keysOf(enrichment: Enrichment, project: Project): Set<string> {
  if (enrichment.key.length > 0) return new Set(enrichment.key);
  const users = [...project.destinations.values()].filter((one) => one.enrich.includes(enrichment.name));
  const signals = users.flatMap((one) => one.signals.map((name) => project.signals.get(name)));
  return new Set(signals.flatMap((signal) => signal?.key ?? []));
}

function checkVariables(
  project: Project,
  destination: Destination,
  provided: ReadonlyMap<string, readonly string[]>,
): ReadbackError[] {
  const type = project.connections.get(destination.connection)?.actions[destination.action];
  if (!type) return [];
  return missingVariables(compileDestination(destination, type), provided);
}
