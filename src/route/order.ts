import type { Destination, Project } from '../config/model.ts';
import { linkTo, stepsBefore } from '../config/play.ts';
import type { Undone } from '../connectors/connector.ts';
import type { Action, Move } from '../ledger/action.ts';
import type { Lane } from '../ledger/lane.ts';
import { readSteps, type Steps } from '../ledger/play.ts';
import type { Queryable } from '../store/queries.ts';
import { withoutParent } from './parent.ts';
import { holdStep, type Result, resultsOf } from './step.ts';
import { holdUndo, undoneBy } from './undo.ts';

/** What an action that may begin is given by those before it. */
export interface Beginning {
  /** The record to work on. */
  parentId?: string | undefined;
  /** What earlier steps of its play brought, for its templates. */
  results?: Record<string, Result>;
  /** What it undoes. */
  undone?: Undone | undefined;
}

/** Of each action of a destination, by key: what it begins with, or why it does not, or not yet. */
export async function beginnings(
  project: Project,
  ledger: Queryable,
  lane: Lane,
  destination: Destination,
  actions: readonly Action[],
): Promise<Map<string, Beginning | Move>> {
  if (destination.undoes !== undefined)
    return undoings(project, ledger, destination, destination.undoes, actions);
  const { name, after, follows } = destination;
  const earlier = after.length > 0 ? [...stepsBefore(project.destinations, name)] : [];
  const steps = earlier.length > 0 ? await readSteps(ledger, earlier, actions) : undefined;
  const parents = follows === undefined ? undefined : await lane.parents(follows, actions);
  const policyOf = (step: string) => project.destinations.get(step)?.onFailure ?? 'stop';
  const found = new Map<string, Beginning | Move>();
  for (const action of actions) {
    const known = steps?.get(action.key);
    const parent = parents?.get(action.key);
    const held =
      (known && holdStep(action, destination, known, policyOf)) ??
      (parents && !parent?.parent_id ? withoutParent(action, destination, parent) : undefined);
    const results = known && { results: resultsOf(known, (step, id) => linkTo(project, step, id)) };
    found.set(action.key, held ?? { parentId: parent?.parent_id ?? undefined, ...results });
  }
  return found;
}

async function undoings(
  project: Project,
  ledger: Queryable,
  destination: Destination,
  undoes: string,
  actions: readonly Action[],
): Promise<Map<string, Beginning | Move>> {
  const steps = await readSteps(ledger, [undoes, ...destination.after], actions);
  return new Map(
    actions.map((action) => {
      const known: Steps = steps.get(action.key) ?? new Map();
      const held = holdUndo(action, destination, known);
      const step = known.get(undoes);
      const parentId = step?.external_id ?? undefined;
      return [action.key, held ?? { parentId, undone: step && undoneBy(project, step) }];
    }),
  );
}
