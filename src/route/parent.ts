import type { Destination } from '../config/model.ts';
import type { Action, Move } from '../ledger/action.ts';
import type { Parent } from '../ledger/lane.ts';
import { deadLetterStates } from '../ledger/state.ts';
import { refuse, suppress, waitFor } from './decline.ts';

/**
 * There is no record to work on. While one is on its way, wait; when the followed destination failed, this one cannot
 * succeed; when it rightly did nothing for the entity, neither does this one.
 */
export function whyNoParent(
  follows: string,
  parent: Parent | undefined,
): { effect: 'waits' | 'refused' | 'suppressed'; reason: string } {
  if (parent?.pending) return { effect: 'waits', reason: `waits for ${follows}` };
  const last = parent?.last_state;
  if (last && deadLetterStates.some((state) => state === last))
    return { effect: 'refused', reason: `there is no record of ${follows} to follow: it is ${last}` };
  const did = last ? `was ${last}` : 'did nothing';
  return {
    effect: 'suppressed',
    reason: `${follows} ${did} for this entity, so there is no record to follow`,
  };
}

/** What becomes of an action for which there is no record to work on. */
export function withoutParent(
  action: Action,
  { follows = '' }: Destination,
  parent: Parent | undefined,
): Move {
  const { effect, reason } = whyNoParent(follows, parent);
  if (effect === 'waits') return waitFor(action, follows);
  return effect === 'refused' ? refuse(action, reason) : suppress(action, reason);
}
