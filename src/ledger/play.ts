import type { Undo } from '../config/undo.ts';
import { type Queryable, queries } from '../store/queries.ts';
import type { Action } from './action.ts';
import type { ActionState } from './state.ts';

const sql = queries('plays');

/** How a step of a play stands, for one message. */
export interface Step {
  destination: string;
  state: ActionState;
  settled: boolean;
  external_id: string | null;
  /** Digest of each field's canonical value, as last sent. */
  sent: Record<string, string> | null;
  /** The earlier step that stopped it. */
  stopped_by: string | null;
  /** Its undoing is planned, or done. */
  undone: boolean;
}

/** The steps of one message's play, by destination. */
export type Steps = ReadonlyMap<string, Step>;

/**
 * How these steps stand for the messages of some actions.
 *
 * @returns by the action's key, then by destination; a step that the ledger has no action of is missing
 */
export async function readSteps(
  ledger: Queryable,
  steps: readonly string[],
  actions: readonly Action[],
): Promise<Map<string, Map<string, Step>>> {
  const rows = await sql.run<Step & { key: string }>(ledger, 'steps', {
    steps,
    keys: actions.map((action) => action.key),
    signals: actions.map((action) => action.signal),
    entities: actions.map((action) => action.entity),
    sequences: actions.map((action) => action.sequence),
  });
  const found = new Map(actions.map((action) => [action.key, new Map<string, Step>()]));
  for (const row of rows) found.get(row.key)?.set(row.destination, row);
  return found;
}

/** An action of a destination that is known. */
export type Ended = Pick<Action, 'signal' | 'entity' | 'sequence'>;

/**
 * Calls off the plays whose compensating step has ended without effect: what was not sent is suppressed, what was is to
 * be undone. To be called in the transaction that ends the step, so that no play stays half done unnoticed.
 *
 * @param ended actions of the compensating step; those that did not end without effect are left alone
 */
export async function callOff(
  transaction: Queryable,
  undos: readonly Undo[],
  destination: string,
  ended: readonly Ended[],
): Promise<void> {
  const which = {
    destination,
    signals: ended.map((action) => action.signal),
    entities: ended.map((action) => action.entity),
    sequences: ended.map((action) => action.sequence),
  };
  await sql.run(transaction, 'call_off', { ...which, steps: undos.map((undo) => undo.destination) });
  await sql.run(transaction, 'plan_undo', { ...which, undos: JSON.stringify(undos) });
}
