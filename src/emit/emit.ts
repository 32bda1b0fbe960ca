import type pg from 'pg';
import type { Destination, Signal } from '../config/model.ts';
import type { Undo } from '../config/undo.ts';
import { callOff, type Ended } from '../ledger/play.ts';
import { queries } from '../store/queries.ts';
import { together } from '../store/together.ts';

const sql = queries('detect');

export interface Emitted {
  messages: number;
  actions: number;
  suppressed: number;
  superseded: number;
}

interface Overtaken {
  destination: string;
  superseded: number;
  /** Where the destination compensates. */
  compensating: Ended[] | null;
}

/**
 * Makes messages of the transitions in the `moves` table, and one action for each destination that wants one, in the
 * poll's transaction. A destination that does not want a transition by its `on:` is not involved; one that wants it but must
 * not act (cooldown, paused) gets a row that says so.
 *
 * @param undos by destination that compensates, what is undone when its action is superseded
 */
export async function emit(
  client: pg.PoolClient,
  project: string,
  poll: string,
  signal: Signal,
  destinations: readonly Destination[],
  undos: ReadonlyMap<string, readonly Undo[]> = new Map(),
): Promise<Emitted> {
  const subscriptions = JSON.stringify(
    destinations.map((destination) => ({
      destination: destination.name,
      transitions: destination.on,
      lanes: destination.lanes,
      ttl_seconds: destination.ttlMs / 1000,
    })),
  );
  const { name, version, severity } = signal;
  const numbering = {
    project,
    signal: name,
    version,
    transitions: signal.on,
    cooldown_seconds: (signal.cooldownMs ?? 0) / 1000,
  };
  const compensating = [...undos.keys()];
  const [, , fresh, overtaken, planned] = await together(client, [
    () => sql.run(client, 'number_moves', numbering),
    () => sql.run(client, 'emit_messages', { poll, signal: name, version, severity }),
    () => sql.one<{ emitted: number; cooling: number }>(client, 'count_fresh'),
    () => sql.run<Overtaken>(client, 'supersede', { signal: name, subscriptions, compensating }),
    () => sql.one<{ planned: number }>(client, 'plan_actions', { poll, signal: name, subscriptions }),
    async () => signal.cooldownMs !== undefined && (await sql.run(client, 'mark_fired', { signal: name })),
  ]);
  for (const { destination, compensating: ended } of overtaken)
    if (ended) await callOff(client, undos.get(destination) ?? [], destination, ended);
  return {
    messages: fresh?.emitted ?? 0,
    actions: planned?.planned ?? 0,
    suppressed: fresh?.cooling ?? 0,
    superseded: overtaken.reduce((sum, one) => sum + one.superseded, 0),
  };
}
