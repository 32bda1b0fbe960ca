import type { Draft } from './destination.ts';
import type { ConnectionConfig, Enrichment, Signal, WarehouseConfig } from './model.ts';
import type { Defaults } from './root.ts';

/** What one folder holds. */
export interface Files<T> {
  /** What was read without problems, by name. */
  loaded: Map<string, T>;
  /** Every file by name, broken ones included: a reference to a broken file is not a second problem. */
  written: ReadonlyMap<string, string>;
}

/** Everything that was read, before the files are held against each other. */
export interface Parts {
  warehouses: ReadonlyMap<string, WarehouseConfig>;
  connections: ReadonlyMap<string, ConnectionConfig>;
  signals: Files<Signal>;
  drafts: Files<Draft>;
  enrichments: Files<Enrichment>;
  defaults: Defaults;
}
