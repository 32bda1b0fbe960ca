import type { Signal } from '../config/model.ts';
import { suggest } from '../config/suggest.ts';
import { bucketCount } from '../detect/digest.ts';
import { signalQuery } from '../detect/poll.ts';
import { ReadbackError } from '../errors.ts';
import type { Column, Warehouse } from '../warehouses/warehouse.ts';
import { headerPlace, inHeader, inStatement } from './places.ts';

/** What a signal's SQL returns; undefined, with problems, when the warehouse refuses it. */
export async function describeSignal(
  signal: Signal,
  warehouse: Warehouse,
  problems: ReadbackError[],
): Promise<Column[] | undefined> {
  const read = { timeoutMs: signal.timeoutMs, label: signal.name };
  let columns: Column[];
  try {
    columns = await warehouse.describe(signal.sql, read);
  } catch (error) {
    problems.push(inStatement(error, signal));
    return undefined;
  }
  const before = problems.length;
  for (const name of signal.key) requireColumn(signal, 'key', name, columns, problems);
  for (const name of signal.track ?? []) requireColumn(signal, 'track', name, columns, problems);
  requireTime(signal, 'observed_at', signal.observedAt, columns, problems);
  requireTime(signal, 'guard.loaded_at', signal.guard.loadedAt, columns, problems);
  // The members statement is built on these columns; without them it would only repeat the complaint.
  if (problems.length === before) await checkConditions(signal, warehouse, problems);
  return columns;
}

function requireColumn(
  signal: Signal,
  key: string,
  name: string,
  columns: readonly Column[],
  problems: ReadbackError[],
): Column | undefined {
  const found = columns.find((column) => column.name === name);
  if (found) return found;
  const names = columns.map((column) => column.name);
  problems.push(
    new ReadbackError('SIGNAL_SQL', `\`${key}\` names a column that the SQL does not return`, {
      place: headerPlace(signal, key),
      value: name,
      hint: suggest(name, names),
    }),
  );
  return undefined;
}

function requireTime(
  signal: Signal,
  key: string,
  name: string | undefined,
  columns: readonly Column[],
  problems: ReadbackError[],
): void {
  if (name === undefined) return;
  const column = requireColumn(signal, key, name, columns, problems);
  if (!column || column.type === 'timestamp' || column.type === 'date') return;
  problems.push(
    new ReadbackError('SIGNAL_SQL', `\`${key}\` names a column that is not a time`, {
      place: headerPlace(signal, key),
      value: `${column.name} ${column.nativeType}`,
      hint: `cast it in the SQL: cast(${column.name} as timestamp) as ${column.name}`,
    }),
  );
}

/** Lets the warehouse prepare the statement that polls run, condition by condition, so that the right one is blamed. */
async function checkConditions(
  signal: Signal,
  warehouse: Warehouse,
  problems: ReadbackError[],
): Promise<void> {
  const read = { timeoutMs: signal.timeoutMs, label: signal.name };
  const query = await signalQuery(signal, warehouse, read);
  const before = problems.length;
  for (const key of ['when', 'rearm'] as const) {
    const condition = signal[key];
    if (condition === undefined) continue;
    const alone = { ...query, when: condition, rearm: undefined };
    await warehouse
      .describe(warehouse.members(alone, bucketCount).sql, read)
      .catch((error) => problems.push(inHeader(error, signal, key)));
  }
  if (problems.length > before) return;
  await warehouse
    .describe(warehouse.members(query, bucketCount).sql, read)
    .catch((error) => problems.push(inStatement(error, signal)));
}
