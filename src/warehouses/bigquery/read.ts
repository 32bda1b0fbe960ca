import { ReadbackError } from '../../errors.ts';
import type { Deadline } from '../deadline.ts';
import type { Value } from '../warehouse.ts';
import type { Job } from './job.ts';
import { decodeRow } from './values.ts';

/** Pages by hand, token after token, and compares the rows that came with the number that BigQuery says there are. */
export async function* readRows(job: Job, deadline: Deadline): AsyncGenerator<Value[][]> {
  let read = 0;
  let token: string | undefined;
  for (;;) {
    const page = await job.page(token, deadline);
    const rows = page.rows.map((row) => decodeRow(page.schema.fields, row));
    read += rows.length;
    if (rows.length > 0) yield rows;
    deadline.check();
    if (!page.pageToken) {
      if (BigInt(read) !== BigInt(page.totalRows))
        throw incomplete(`${read} rows arrived of ${page.totalRows}`);
      return;
    }
    if (page.pageToken === token) throw incomplete(`the same page came twice, after ${read} rows`);
    token = page.pageToken;
  }
}

function incomplete(message: string): ReadbackError {
  return new ReadbackError('WAREHOUSE_INCOMPLETE', message);
}
