import type { Destination } from '../config/model.ts';
import type { Action, Move } from '../ledger/action.ts';
import type { Steps } from '../ledger/play.ts';
import { refuse, suppress, waitFor } from './decline.ts';

/**
 * Whether the undoing of a step may begin: when the step is done with, and whatever came after it is undone, or could not
 * be. A step without a record has nothing to undo.
 *
 * @param steps the step, and the undoings that come first, by destination
 * @returns why it does not begin, or not yet; undefined when it may
 */
export function holdUndo(action: Action, { undoes, after }: Destination, steps: Steps): Move | undefined {
  const first = after.find((name) => steps.get(name)?.settled === false);
  if (first !== undefined) return waitFor(action, first);
  const step = undoes === undefined ? undefined : steps.get(undoes);
  if (!step) return suppress(action, `nothing to undo: ${undoes} has no action for this message`);
  if (!step.settled) return waitFor(action, step.destination);
  if (step.external_id !== null) return undefined;
  if (step.state === 'escalated')
    return refuse(action, `${undoes} is escalated: whether it made a record is not known, nor which`);
  return suppress(action, `nothing to undo: ${undoes} is ${step.state}`);
}
