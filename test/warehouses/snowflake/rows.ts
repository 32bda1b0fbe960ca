import type { ReadOptions, Value, Warehouse } from '../../../src/warehouses/warehouse.ts';
import { patient } from '../fixture.ts';

/** Every row of a result. */
export async function rows(
  from: Warehouse,
  sql: string,
  options: Partial<ReadOptions> = {},
): Promise<Value[][]> {
  const found: Value[][] = [];
  for await (const batch of from.read({ sql, params: [] }, { ...patient, ...options })) found.push(...batch);
  return found;
}
