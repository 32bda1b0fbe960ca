import pg from 'pg';
import { startLedgerServer } from './ledger-server.ts';
import type { Bench } from './measurement.ts';
import { apiErp, type Erp, products, tableErp } from './project-files.ts';

export const receiverKinds = ['table', 'api'] as const;
/** A table, which takes all that is due in one statement, or an API that takes one request for each action. */
export type ReceiverKind = (typeof receiverKinds)[number];

/** What a trigger's rows are sent to, on this machine. */
export interface Receiver {
  erp: Erp;
  env: Record<string, string>;
  /** When the first write of each product arrived, by its key: ms since 1970. */
  arrivals(): Promise<Record<string, number>>;
  /** Microseconds of processor time so far. */
  processor(): Promise<number>;
  close(): Promise<void>;
}

export function startReceiver(bench: Bench, kind: ReceiverKind): Promise<Receiver> {
  return kind === 'table' ? startTable() : startApi(bench);
}

/** Its server is one of its own. */
async function startTable(): Promise<Receiver> {
  const server = await startLedgerServer();
  const { url } = await server.create();
  await server.run(url, products);
  return {
    erp: tableErp,
    env: { ERP_URL: url },
    arrivals: async () => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      const { rows } = await client
        .query<{ sku: string; arrived: Date }>('select sku, arrived from products')
        .finally(() => client.end());
      return Object.fromEntries(rows.map(({ sku, arrived }) => [sku, arrived.getTime()]));
    },
    processor: async () => server.processorTime(),
    close: () => server.close(),
  };
}

async function startApi({ start }: Bench): Promise<Receiver> {
  const sandbox = await start('erp.ts', {});
  return {
    erp: apiErp,
    env: await sandbox.ask('environment'),
    arrivals: () => sandbox.ask('arrivals'),
    processor: () => sandbox.ask('processor'),
    close: async () => void (await sandbox.end()),
  };
}
