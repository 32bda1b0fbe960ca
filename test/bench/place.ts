import { join } from 'node:path';
import { type Bench, type WarehouseKind, writeDuckDb } from './measurement.ts';

/** A warehouse made for this measurement. */
export interface Place {
  /** Its entry in readback.yml. */
  yaml: string;
  /** What that entry refers to. */
  env: Record<string, string>;
  /** For the driver: file or URL. */
  place: string;
  write(sql: string): Promise<void>;
  remove(): Promise<void>;
}

/** @param folder of the project */
export async function makePlace(bench: Bench, warehouse: WarehouseKind, folder: string): Promise<Place> {
  return warehouse === 'duckdb' ? duckDb(bench, folder) : postgres(bench);
}

function duckDb(bench: Bench, folder: string): Place {
  const path = join(folder, 'warehouse.duckdb');
  return {
    yaml: '{ type: duckdb, path: ./warehouse.duckdb, scratch_path: ./scratch.duckdb }',
    env: {},
    place: path,
    write: (sql) => writeDuckDb(bench, path, sql),
    remove: async () => {},
  };
}

/** A database of the same server; in production it would be another machine. */
async function postgres({ server }: Bench): Promise<Place> {
  const database = await server.create();
  await server.run(database.url, 'create schema scratch');
  return {
    yaml: '{ type: postgres, url: env:WAREHOUSE_URL, scratch_schema: scratch }',
    env: { WAREHOUSE_URL: database.url },
    place: database.url,
    write: async (sql) => {
      await server.run(database.url, sql);
      await server.run(database.url, 'vacuum analyze customers');
    },
    remove: database.drop,
  };
}
