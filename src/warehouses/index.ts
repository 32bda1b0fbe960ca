import type { WarehouseType } from './warehouse.ts';

/** Every warehouse type, by the name used in `warehouses:`. A new one is one folder and one line here. */
const warehouses: Readonly<Record<string, () => Promise<{ warehouse: WarehouseType }>>> = {
  bigquery: () => import('./bigquery/index.ts'),
  duckdb: () => import('./duckdb/index.ts'),
  postgres: () => import('./postgres/index.ts'),
};

export const warehouseNames = Object.keys(warehouses);

/** Loads one warehouse type's declarations (its driver loads in `open`). Undefined: no such type. */
export async function loadWarehouse(name: string): Promise<WarehouseType | undefined> {
  return Object.hasOwn(warehouses, name) ? (await warehouses[name]?.())?.warehouse : undefined;
}
