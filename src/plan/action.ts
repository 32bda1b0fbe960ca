import type { Transition } from '../config/model.ts';
import type { ActionState } from '../ledger/state.ts';

/** What would become of an action, in the order in which a table shows it. */
export const effects = [
  'create',
  'update',
  'no_change',
  'suppressed',
  'held',
  'waits',
  'refused',
  'unknown',
] as const;
export type Effect = (typeof effects)[number];

export interface PlannedAction {
  destination: string;
  entity: string;
  transition: Transition;
  effect: Effect;
  /** Fields in which the destination's record differs. */
  fields: string[];
  reason: string | null;
  /** False: the destination should have been asked and gave no proper answer. */
  answered: boolean;
}

/** An action that the rehearsal planned. */
export interface Rehearsed {
  key: string;
  message: string;
  signal: string;
  destination: string;
  entity: string;
  sequence: number;
  transition: Transition;
  state: ActionState;
  reason: string | null;
  observed_at: Date | null;
  detected_at: Date;
}

/** An action of the rehearsal, with what is known of it. */
export function planned(
  { destination, entity, transition }: Rehearsed,
  known: Pick<PlannedAction, 'effect'> & Partial<PlannedAction>,
): PlannedAction {
  return { destination, entity, transition, fields: [], reason: null, answered: true, ...known };
}
