import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { serve } from './serve.ts';

/** Commits under way at once: one that waits for the disk must not make the next one late. */
const connections = 4;

export interface Writing {
  perSecond: number;
  /** Numbers of the rows to write, from and up to. */
  from: number;
  to: number;
  /** Notify the channel with the row's key, in the row's transaction. */
  notify: boolean;
}

/** The application that a warehouse's rows come from: one transaction for each row, at a steady rate. */
serve<{ url: string }>(async ({ url }) => {
  const clients = Array.from({ length: connections }, () => new pg.Client({ connectionString: url }));
  for (const client of clients) await client.connect();
  const write = async (client: pg.Client, sku: string, notify: boolean): Promise<number> => {
    await client.query({ name: String(notify), text: notify ? updateAndNotify : update, values: [sku] });
    return Date.now();
  };
  return {
    steps: {
      /** When each row's commit was answered, by its key: ms since 1970. */
      write: async (argument): Promise<Record<string, number>> => {
        const { perSecond, from, to, notify } = argument as Writing;
        const commits: Record<string, number> = {};
        const started = performance.now();
        let next = from;
        const work = async (client: pg.Client): Promise<void> => {
          while (next < to) {
            const row = next;
            next += 1;
            const dueMs = started + ((row - from) / perSecond) * 1000 - performance.now();
            if (dueMs > 0) await sleep(dueMs);
            commits[`S-${row}`] = await write(client, `S-${row}`, notify);
          }
        };
        await Promise.all(clients.map(work));
        return commits;
      },
    },
    close: async () => {
      for (const client of clients) await client.end();
    },
  };
});

const update = 'update stock set on_hand = 3 where sku = $1';
const updateAndNotify = `
with written as (update stock set on_hand = 3 where sku = $1 returning sku) select pg_notify('low_stock', sku) from written`;
