import type { Project } from '../config/model.ts';
import { ReadbackError } from '../errors.ts';
import type { Intent } from '../ledger/lane.ts';
import type { Openings } from '../openings.ts';
import { type Foreseen, foresee } from '../verify/foresee.ts';
import { type PlannedAction, planned, type Rehearsed } from './action.ts';

/** An action whose destination is to be asked. */
export interface Asked {
  action: Rehearsed;
  intent: Intent;
}

/**
 * Asks a destination what it holds of these records.
 *
 * @returns what would become of each action, by key
 */
export async function askDestination(
  project: Project,
  openings: Openings,
  name: string,
  items: readonly Asked[],
  { abort, onAnswered }: { abort: AbortSignal; onAnswered(actions: number): void },
): Promise<Map<string, PlannedAction>> {
  const destination = project.destinations.get(name);
  if (!destination) throw new Error(`there is no destination ${name}`);
  try {
    const { client, gate, type, timeoutMs } = await openings.destination(destination);
    const asker = { destination, client, gate, type, call: { signal: abort, timeoutMs } };
    const intents = items.map(({ intent }) => intent);
    const foreseen = await foresee(asker, intents, onAnswered);
    return new Map(items.map(({ action }) => [action.key, fromForeseen(action, foreseen.get(action.key))]));
  } catch (error) {
    if (!(error instanceof ReadbackError)) throw error;
    const unknown = { effect: 'unknown' as const, reason: error.format(), answered: false };
    return new Map(items.map(({ action }) => [action.key, planned(action, unknown)]));
  }
}

function fromForeseen(action: Rehearsed, foreseen: Foreseen | undefined): PlannedAction {
  if (!foreseen) throw new Error(`nothing was foreseen for ${action.key}`);
  return planned(action, foreseen);
}
