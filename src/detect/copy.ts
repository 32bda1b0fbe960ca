import { once } from 'node:events';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { encodeEntity } from '../ledger/entity.ts';
import type { Value } from '../warehouses/warehouse.ts';

/** Rows are sent in pieces of about this many characters: large enough to be quick, small enough to stay bounded. */
const pieceLength = 256 * 1024;

/** Columns of `Warehouse.members` before the key's own. */
const fixedColumns = 5;

/**
 * Streams members into the `incoming` table, with backpressure from the ledger to the warehouse.
 *
 * @returns rows copied
 */
export async function copyMembers(
  client: pg.PoolClient,
  copyStatement: string,
  batches: AsyncIterable<Value[][]>,
): Promise<number> {
  const stream = client.query(copyFrom(copyStatement));
  let failure: Error | undefined;
  const finished = new Promise<void>((resolve, reject) => {
    stream.once('finish', resolve);
    // Not once: a stream whose connection broke complains again when it is destroyed, and nobody would hear it.
    stream.on('error', (error: Error) => {
      failure = error;
      reject(error);
    });
  });
  finished.catch(() => {});
  let rows = 0;
  let piece = '';
  try {
    for await (const batch of batches) {
      for (const row of batch) piece += copyLine(row);
      rows += batch.length;
      if (piece.length < pieceLength) continue;
      if (failure) throw failure;
      if (!stream.write(piece)) await Promise.race([once(stream, 'drain'), finished]);
      piece = '';
    }
  } catch (error) {
    // Ends the COPY on the server too, so that nothing of a broken read is ever compared.
    stream.destroy();
    await finished.catch(() => {});
    throw error;
  }
  stream.end(piece);
  await finished;
  return rows;
}

/** One row in COPY's text form: entity, bucket, armed, fingerprint, hash, observed_at. */
function copyLine(row: readonly Value[]): string {
  const entity = row.length === fixedColumns + 1 ? row[fixedColumns] : encodeEntity(row.slice(fixedColumns));
  let line = copyText(entity ?? null);
  for (let at = 0; at < fixedColumns; at += 1) line += `\t${row[at] ?? nothing}`;
  return `${line}\n`;
}

const nothing = '\\N';
const special = /[\\\n\r\t]/;

function copyText(value: string | null): string {
  if (value === null) return nothing;
  if (!special.test(value)) return value;
  return value
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t');
}
