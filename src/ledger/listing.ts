import type pg from 'pg';
import type { Transition } from '../config/model.ts';
import { readInBatches } from '../store/cursor.ts';
import { queries } from '../store/queries.ts';
import type { ActionState } from './state.ts';

const sql = queries('actions');

/** 1M actions as JSON: 11 s at 176 MB RSS. */
const batchRows = 1000;

/** An action as other programs may see it. Times are the database's. */
export interface ListedAction {
  key: string;
  signal: string;
  destination: string;
  entity: string;
  /** A number while it is exact, text beyond 2^53. */
  sequence: number | string;
  transition: Transition;
  state: ActionState;
  reason: string | null;
  attempts: number;
  external_id: string | null;
  detected_at: Date;
  sent_at: Date | null;
  accepted_at: Date | null;
  settled_at: Date | null;
}

/** Absent: not restricted. */
export interface ListFilter {
  signals?: readonly string[] | undefined;
  destinations?: readonly string[] | undefined;
  states?: readonly ActionState[] | undefined;
  entities?: readonly string[] | undefined;
  /** Detected at or after. */
  since?: Date | undefined;
  limit?: number | undefined;
}

/** Actions of one instant, newest first, in batches. */
export function listActions(pool: pg.Pool, filter: ListFilter): AsyncGenerator<ListedAction[]> {
  const { signals, destinations, states, entities, since, limit } = filter;
  const query = sql.bind('list', {
    signals: signals ?? null,
    destinations: destinations ?? null,
    states: states ?? null,
    entities: entities ?? null,
    since: since ?? null,
    limit: limit ?? null,
  });
  return readInBatches<ListedAction>(pool, query, batchRows);
}
