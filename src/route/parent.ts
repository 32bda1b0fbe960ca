import type { Destination } from '../config/model.ts';
import type { Action, Move } from '../ledger/action.ts';
import type { Parent } from '../ledger/lane.ts';
import { deadLetterStates } from '../ledger/state.ts';
import { refuse, suppress, waitFor } from './decline.ts';

/**
 * There is no record to work on. While one is on its way, wait; when the followed destination failed, this one cannot
 * succeed; when it rightly did nothing for the entity, neither does this one.
 */
export function withoutParent(
  action: Action,
  { follows = '' }: Destination,
  parent: Parent | undefined,
): Move {
  if (parent?.pending) return waitFor(action, follows);
  const last = parent?.last_state;
  if (last && deadLetterStates.some((state) => state === last)) {
    return refuse(action, `there is no record of ${follows} to follow: it is ${last}`);
  }
  const reason = `${follows} ${last ? `was ${last}` : 'did nothing'} for this entity, so there is no record to follow`;
  return suppress(action, reason);
}
