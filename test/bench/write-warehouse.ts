import { DuckDBInstance } from '@duckdb/node-api';
import { serve } from './serve.ts';

/** The data team: writes to a DuckDB file, in a process of its own because an engine has the file open at times. */
serve<{ path: string; sql: string }>(async ({ path, sql }) => ({
  steps: {
    run: async () => {
      const instance = await DuckDBInstance.create(path);
      const connection = await instance.connect();
      try {
        await connection.run(sql);
      } finally {
        connection.closeSync();
        instance.closeSync();
      }
    },
  },
  close: async () => {},
}));
