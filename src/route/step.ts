import type { Destination, FailurePolicy } from '../config/model.ts';
import type { Action, Move } from '../ledger/action.ts';
import type { Step, Steps } from '../ledger/play.ts';
import { doneStates } from '../ledger/state.ts';
import { suppress, waitFor } from './decline.ts';

/** What a later step's templates know of an earlier one: `results.<destination>.…`. */
export interface Result {
  id: string | null;
  url: string | null;
  state: string;
}

/**
 * Whether a step of a play may begin: when all those right before it are verified, or were skipped. A step stops with
 * the one that stopped an earlier one, so that bringing that one back brings back all that it stopped.
 *
 * @param steps all earlier steps, by destination
 * @returns why it does not begin, or not yet; undefined when it may
 */
export function holdStep(
  action: Action,
  { after }: Destination,
  steps: Steps,
  policyOf: (destination: string) => FailurePolicy,
): Move | undefined {
  for (const step of steps.values())
    if (step.undone) return suppress(action, `stopped: ${step.destination} was undone`, step.destination);
  for (const name of after) {
    const step = steps.get(name);
    if (!step) return suppress(action, `stopped: ${name} has no action for this message`, name);
    if (!step.settled || isDone(step)) continue;
    const cause = step.stopped_by ?? (policyOf(name) === 'skip' ? undefined : name);
    if (cause !== undefined) return suppress(action, `stopped: ${whatBecameOf(cause, steps)}`, cause);
  }
  const awaited = after.find((name) => !steps.get(name)?.settled);
  return awaited === undefined ? undefined : waitFor(action, awaited);
}

/** What the earlier steps brought, for templates. One without effect has a state and no record. */
export function resultsOf(
  steps: Steps,
  linkOf: (destination: string, id: string) => string | null,
): Record<string, Result> {
  return Object.fromEntries(
    [...steps].map(([name, step]) => {
      const id = isDone(step) ? step.external_id : null;
      return [name, { id, url: id === null ? null : linkOf(name, id), state: step.state }];
    }),
  );
}

function isDone({ state }: Step): boolean {
  return doneStates.some((done) => done === state);
}

function whatBecameOf(name: string, steps: Steps): string {
  const state = steps.get(name)?.state;
  return state === undefined ? `${name} ended without effect` : `${name} is ${state}`;
}
