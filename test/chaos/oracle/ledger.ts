import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Product } from '../fleet/product.ts';

/** An action as `readback actions --output json` shows it. */
export type LedgerAction = {
  key: string;
  signal: string;
  destination: string;
  entity: string;
  sequence: number;
  transition: string;
  state: string;
  reason: string | null;
  attempts: number;
  external_id: string | null;
  detected_at: string;
  sent_at: string | null;
  accepted_at: string | null;
  settled_at: string | null;
};

/** What the report says of one signal and destination. */
export type ReportPair = {
  signal: string;
  destination: string;
  detected: number;
  verified: number;
  in_flight: number;
  unaccounted: number;
};

/** The ledger as its user sees it, through the public command line. */
export type Ledger = { actions: LedgerAction[]; pairs: ReportPair[] };

export async function readLedger(product: Product, folder: string): Promise<Ledger> {
  const file = join(folder, 'actions.json');
  await product.runInto(file, 'actions', '--since', 'all', '--output', 'json');
  const actions = JSON.parse(await readFile(file, 'utf8')) as LedgerAction[];
  const report = JSON.parse(await product.run('report', '--since', 'all', '--output', 'json'));
  return { actions, pairs: report.pairs as ReportPair[] };
}

/** An action that has ended moves no more by itself. */
export const isOpen = (action: LedgerAction): boolean => action.settled_at === null;
