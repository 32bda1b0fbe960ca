import type { WarehouseType } from './warehouse.ts';

/** Every warehouse type, by the name used in `warehouses:`. A new one is one folder and one line here. */
const warehouses: Readonly<Record<string, () => Promise<{ warehouse: WarehouseType }>>> = {
  bigquery: () => import('./bigquery/index.ts'),
  duckdb: () => import('./duckdb/index.ts'),
  postgres: () => import('./postgres/index.ts'),
  snowflake: () => import('./snowflake/index.ts'),
};

export const warehouseNames = Object.keys(warehouses);

/** The warehouse type that an adapter of dbt connects with. */
export async function warehouseOfDbt(adapter: string): Promise<WarehouseType | undefined> {
  const types = await Promise.all(warehouseNames.map(loadWarehouse));
  return types.find((type) => type?.dbt?.types.includes(adapter));
}

/** Loads one warehouse type's declarations (its driver loads in `open`). Undefined: no such type. */
export async function loadWarehouse(name: string): Promise<WarehouseType | undefined> {
  return Object.hasOwn(warehouses, name) ? (await warehouses[name]?.())?.warehouse : undefined;
}
