import { DuckDBInstance } from '@duckdb/node-api';
import pg from 'pg';
import Cursor from 'pg-cursor';
import { serve } from './serve.ts';

/** Rows asked for at a time, as our own reader does. */
const batchRows = 2000;

export interface DriverReadOptions {
  warehouse: 'duckdb' | 'postgres';
  /** A file, or a connection URL. */
  place: string;
  sql: string;
}

/**
 * What the driver alone takes to read the rows as JavaScript values, holding one batch at a time, with the connection
 * open before the clock starts.
 */
serve<DriverReadOptions>(async ({ warehouse, place, sql }) => {
  const reader = warehouse === 'duckdb' ? await openDuckDb(place, sql) : await openPostgres(place, sql);
  return {
    steps: {
      read: async () => {
        const started = performance.now();
        const rows = await reader.read();
        return { seconds: (performance.now() - started) / 1000, rows };
      },
    },
    close: reader.close,
  };
});

interface Reader {
  /** Returns how many rows there were. */
  read(): Promise<number>;
  close(): Promise<void>;
}

async function openDuckDb(path: string, sql: string): Promise<Reader> {
  const instance = await DuckDBInstance.create(path, { access_mode: 'READ_ONLY' });
  const connection = await instance.connect();
  return {
    read: async () => {
      const result = await connection.stream(sql);
      let rows = 0;
      for (;;) {
        const chunk = await result.fetchChunk();
        if (!chunk || chunk.rowCount === 0) return rows;
        rows += chunk.getRows().length;
      }
    },
    close: async () => {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

async function openPostgres(url: string, sql: string): Promise<Reader> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return {
    read: async () => {
      const cursor = client.query(new Cursor(sql));
      let rows = 0;
      for (;;) {
        const batch = await cursor.read(batchRows);
        if (batch.length === 0) break;
        rows += batch.length;
      }
      await cursor.close();
      return rows;
    },
    close: () => client.end(),
  };
}
