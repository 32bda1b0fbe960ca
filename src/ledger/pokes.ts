import { type Queryable, queries } from '../store/queries.ts';

const sql = queries('pokes');

/** Pokes of one signal that may wait. */
const mostWaiting = 1_000;

export interface WaitingPoke {
  id: number;
  signal: string;
  /** Null: everyone. */
  entities: string[] | null;
}

/**
 * Writes a poke down and wakes whoever attends to the signal.
 *
 * @param entities whom to look at; undefined: everyone
 * @returns false when too many wait already: nothing was written
 */
export async function poke(
  ledger: Queryable,
  signal: string,
  entities: readonly string[] | undefined,
): Promise<boolean> {
  const written = await sql.run(ledger, 'poke', { signal, entities: entities ?? null, most: mostWaiting });
  return written.length > 0;
}

/** Pokes of these signals that wait, but for those taken already. */
export function takePokes(
  ledger: Queryable,
  signals: readonly string[],
  taken: readonly number[],
): Promise<WaitingPoke[]> {
  return sql.run<WaitingPoke>(ledger, 'take', { signals, taken });
}

/** Somebody has looked. */
export async function donePoke(ledger: Queryable, id: number): Promise<void> {
  await sql.run(ledger, 'done', { id });
}
