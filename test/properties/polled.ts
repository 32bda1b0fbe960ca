import assert from 'node:assert/strict';
import type pg from 'pg';
import type { Destination, Signal } from '../../src/config/model.ts';
import { Secret } from '../../src/config/secret.ts';
import { type Looked, look, openLens } from '../../src/detect/look.ts';
import { type PollResult, poll } from '../../src/detect/poll.ts';
import { emit } from '../../src/emit/emit.ts';
import { openPool } from '../../src/store/database.ts';
import { loadWarehouse } from '../../src/warehouses/index.ts';
import type { Warehouse } from '../../src/warehouses/warehouse.ts';
import { emptyDatabase, freshDatabase, quiet, type TestDatabase } from '../helpers/postgres.ts';

/** Rows as the warehouse holds them: entity to score. */
export type Scores = ReadonlyMap<string, number>;

/** A ledger and a Postgres that plays the warehouse, for polls of tables that a property fills. */
export interface Polled {
  ledger: TestDatabase;
  /** A table of scores that nobody else uses; its name. */
  table(): Promise<string>;
  fill(table: string, scores: Scores): Promise<void>;
  /** Polls as the product does, with what went wrong at the last poll or goes wrong at this one. */
  poll(signal: Signal, destinations: readonly Destination[], trouble?: Trouble): Promise<PollResult>;
  /** Looks at these entities alone, as a trigger has it done. */
  look(
    signal: Signal,
    destinations: readonly Destination[],
    entities: readonly string[],
  ): Promise<Looked | undefined>;
  close(): Promise<void>;
}

/**
 * `crash`: the process ends in the poll's transaction, before its commit. `again`: it ended after the commit of the last
 * poll, which is therefore begun once more.
 */
export type Trouble = 'none' | 'crash' | 'again';

export async function openPolled(): Promise<Polled> {
  const ledger = await freshDatabase();
  const source = await emptyDatabase();
  const type = await loadWarehouse('postgres');
  assert.ok(type);
  const warehouse: Warehouse = await type.open(type.schema.parse({ url: new Secret(source.url) }));
  const lookers = openPool(ledger.url, { log: quiet, pipeline: true });
  let count = 0;
  const last = new Map<string, string>();
  return {
    ledger,
    table: async () => {
      const name = `scores_${++count}`;
      await source.pool.query(`create table ${name} (id text primary key, score float8)`);
      return name;
    },
    fill: (table, scores) => fill(source.pool, table, scores),
    poll: async (signal, destinations, trouble = 'none') => {
      const client = await ledger.pool.connect();
      try {
        const known = trouble === 'again' ? last.get(signal.name) : undefined;
        const id = known ?? (await beginPoll(client, signal.name));
        last.set(signal.name, id);
        return await poll(client, warehouse, signal, {
          signal: new AbortController().signal,
          only: [],
          emit: async (transaction) => {
            await emit(transaction, 'test', id, signal, destinations);
            if (trouble === 'crash') throw new Error('the process ended before the commit');
          },
        });
      } finally {
        client.release();
      }
    },
    look: async (signal, destinations, entities) => {
      const client = await lookers.connect();
      try {
        const read = { signal: new AbortController().signal, timeoutMs: signal.timeoutMs };
        const lens = await openLens(signal, warehouse, read);
        return await look(client, warehouse, signal, {
          entities,
          lens,
          signal: read.signal,
          news: '',
          emit: async (transaction, id) => void (await emit(transaction, 'test', id, signal, destinations)),
        });
      } finally {
        client.release();
      }
    },
    close: async () => {
      await warehouse.close();
      await lookers.end();
      await source.drop();
      await ledger.drop();
    },
  };
}

async function beginPoll(client: pg.PoolClient, signal: string): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    `insert into polls (signal, scheduled_for, cause, state, started_at)
     values ($1, clock_timestamp(), 'manual', 'running', clock_timestamp()) returning id`,
    [signal],
  );
  return rows[0]?.id ?? '';
}

async function fill(pool: pg.Pool, table: string, scores: Scores): Promise<void> {
  await pool.query(
    `with gone as (delete from ${table} where not id = any($1::text[]))
     insert into ${table} select * from unnest($1::text[], $2::float8[])
     on conflict (id) do update set score = excluded.score`,
    [[...scores.keys()], [...scores.values()]],
  );
}
