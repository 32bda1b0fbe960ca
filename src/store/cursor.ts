import type pg from 'pg';
import type Cursor from 'pg-cursor';
import type { Bound } from './queries.ts';
import { ledgerTypes } from './types.ts';

/**
 * The rows of a query in batches, so that memory is bounded at any number of them. All are of one instant: a cursor
 * keeps the snapshot under which it was opened. Holds one connection until the last row, or until the caller stops.
 */
export async function* readInBatches<Row>(
  pool: pg.Pool,
  { text, values }: Bound,
  batchRows: number,
): AsyncGenerator<Row[]> {
  const { default: CursorType } = await import('pg-cursor');
  const client = await pool.connect();
  let broken: Error | undefined;
  const cursor: Cursor<Row> = client.query(new CursorType<Row>(text, values, { types: ledgerTypes }));
  try {
    for (;;) {
      const rows = await cursor.read(batchRows);
      if (rows.length > 0) yield rows;
      if (rows.length < batchRows) return;
    }
  } catch (error) {
    broken = error as Error;
    throw error;
  } finally {
    // Also when the caller stops early: the connection goes back without a half-read result.
    if (!broken) await cursor.close();
    client.release(broken);
  }
}
