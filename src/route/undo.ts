import type { Destination, Project } from '../config/model.ts';
import type { Undone } from '../connectors/connector.ts';
import type { Action, Move } from '../ledger/action.ts';
import { digest } from '../ledger/digest.ts';
import type { Step, Steps } from '../ledger/play.ts';
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

/** What is known of the step that is to be undone; undefined when the project no longer says. */
export function undoneBy(project: Project, step: Pick<Step, 'destination' | 'sent'>): Undone | undefined {
  const origin = project.destinations.get(step.destination);
  const type = project.connections.get(origin?.connection ?? '')?.actions[origin?.action ?? ''];
  if (!origin || !type) return undefined;
  const sent = step.sent ?? {};
  return {
    fields: [...new Set([...Object.keys(sent), ...Object.keys({ ...origin.fields, ...origin.leftFields })])],
    isAsWritten: (field, value) => {
      if (step.sent === null) return false;
      return sent[field] === undefined || sent[field] === digest(type.canonical(field, value));
    },
  };
}
