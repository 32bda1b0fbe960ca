import type { Project } from '../config/model.ts';
import { Openings } from '../openings.ts';
import type { Queryable } from '../store/queries.ts';
import type { Warehouse } from '../warehouses/warehouse.ts';

/** For commands that must not need a ledger: connections draw on one, warehouses do not. */
const noLedger: Queryable = {
  query: () => Promise.reject(new Error('this command has no ledger')),
};

export interface Warehouses {
  /** Opens on first use. */
  warehouse(name: string): Promise<Warehouse>;
  close(): Promise<void>;
}

/** The project's warehouses, without a ledger. */
export function openWarehouses(project: Project): Warehouses {
  const openings = new Openings(project, noLedger);
  return { warehouse: (name) => openings.warehouse(name), close: () => openings.close() };
}
