import { type Queryable, queries } from '../store/queries.ts';

const sql = queries('report');

/** Something in the ledger that does not add up. */
export interface Finding {
  kind:
    | 'unaccounted'
    | 'action without message'
    | 'action without poll'
    | 'attempt without action'
    | 'action without attempt'
    | 'message without poll';
  /** What it is about: `signal → destination`, or the id of one of the rows. */
  subject: string;
  /** How many; negative when there are more actions than were detected. */
  count: number;
  /** One sentence for a person. */
  message: string;
}

/** Checks rule 9 and that no row has lost the row it belongs to. An empty list: the ledger adds up. */
export async function checkBalance(client: Queryable): Promise<Finding[]> {
  const pairs = await sql.run<UnaccountedRow>(client, 'unaccounted');
  const orphans = await sql.run<OrphanRow>(client, 'orphans');
  return [...pairs.map(unaccounted), ...orphans.map(orphaned)];
}

interface UnaccountedRow {
  signal: string;
  destination: string;
  detected: number;
  unaccounted: number;
}

interface OrphanRow {
  kind: Exclude<Finding['kind'], 'unaccounted'>;
  count: number;
  example: string;
}

function unaccounted(row: UnaccountedRow): Finding {
  const subject = `${row.signal} → ${row.destination}`;
  const recorded = row.detected - row.unaccounted;
  return {
    kind: 'unaccounted',
    subject,
    count: row.unaccounted,
    message: `${subject}: ${row.detected} detected, but ${recorded} actions are recorded`,
  };
}

function orphaned(row: OrphanRow): Finding {
  const message = `${row.count} × ${row.kind}, for example ${row.example}`;
  return { kind: row.kind, subject: row.example, count: row.count, message };
}
