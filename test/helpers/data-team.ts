import { setTimeout as sleep } from 'node:timers/promises';
import { DuckDBInstance } from '@duckdb/node-api';

// Writes to the warehouse file whatever SQL it is sent. A reader that has the file open is waited for.
const path = process.argv[2] ?? '';

process.on('message', async (sql: string) => {
  try {
    const instance = await opened();
    const connection = await instance.connect();
    try {
      await connection.run(sql);
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
    process.send?.({});
  } catch (error) {
    process.send?.({ problem: (error as Error).message });
  }
});

async function opened(): Promise<DuckDBInstance> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await DuckDBInstance.create(path);
    } catch (error) {
      if (attempt > 200 || !/lock/i.test((error as Error).message)) throw error;
      await sleep(25);
    }
  }
}
