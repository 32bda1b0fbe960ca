import { intentOf } from '../act/prepare.ts';
import type { Destination, Project } from '../config/model.ts';
import { stepsBefore } from '../config/play.ts';
import type { Intent, Parent } from '../ledger/lane.ts';
import type { PreviewedAction } from '../preview.ts';
import { whyNoParent } from '../route/parent.ts';
import type { Effect, Rehearsed } from './action.ts';
import type { Uses } from './uses.ts';

/** What is said of an action before its destination is asked. */
export type Begun = Effect | 'asked';

/** What surrounds an action. */
export interface Around {
  /** The actions of its message that were decided on, by destination, in the order of its play. */
  begun: ReadonlyMap<string, Begun>;
  uses: Uses;
  /** What the ledger knows of the record that it follows. */
  parent: Parent | undefined;
}

interface Decided {
  effect: Effect;
  reason: string | null;
}

/** What is known of an action without asking its destination, or what to ask with. */
export function decide(
  project: Project,
  action: Rehearsed,
  preview: PreviewedAction,
  { begun, uses, parent }: Around,
): Decided | { intent: Intent } {
  if (action.state === 'suppressed' || action.state === 'held')
    return { effect: action.state, reason: action.reason };
  const destination = project.destinations.get(action.destination);
  const type = destination && project.connections.get(destination.connection)?.actions[destination.action];
  if (!destination || !type) throw new Error(`there is no usable destination ${action.destination}`);
  const waits = (steps: readonly string[]): Decided | undefined => {
    const awaited = new Set(steps.filter((step) => isOnItsWay(begun.get(step))));
    return awaited.size > 0 ? { effect: 'waits', reason: `waits for ${[...awaited].join(', ')}` } : undefined;
  };
  const decided =
    stopped(project, destination, begun) ??
    waits(uses.condition) ??
    (preview.outcome === 'send' || preview.outcome === 'refused' ? undefined : preview.reason);
  if (decided !== undefined)
    return typeof decided === 'string' ? { effect: 'suppressed', reason: decided } : decided;
  const { follows } = destination;
  const orphaned =
    follows === undefined || isOnItsWay(begun.get(follows)) || parent?.parent_id
      ? undefined
      : whyNoParent(follows, parent);
  if (orphaned) return orphaned;
  const needed = type.needsParent && follows !== undefined ? [follows] : [];
  const waiting = waits([...needed, ...uses.fields(action.transition)]);
  if (waiting) return waiting;
  if (preview.outcome !== 'send') return { effect: 'refused', reason: preview.reason };
  if (type.unverifiable !== undefined) return { effect: 'unknown', reason: type.unverifiable };
  return {
    intent: intentOf(action.key, destination, type, preview.fields, parent?.parent_id ?? undefined),
  };
}

/** Whether the results of a step will be there, and are not yet. */
function isOnItsWay(begun: Begun | undefined): boolean {
  return begun !== undefined && begun !== 'suppressed' && begun !== 'refused';
}

/** The earlier step without which this one does not begin, or not yet. */
function stopped(
  { destinations }: Project,
  { name }: Destination,
  begun: ReadonlyMap<string, Begun>,
): Decided | undefined {
  const earlier = stepsBefore(destinations, name);
  for (const [step, before] of begun) {
    if (!earlier.has(step)) continue;
    if (before === 'held') return { effect: 'waits', reason: `waits for ${step}, which is held` };
    if (before !== 'suppressed' && before !== 'refused') continue;
    if (destinations.get(step)?.onFailure !== 'skip')
      return { effect: 'suppressed', reason: `stopped: ${step} is ${before}` };
  }
  return undefined;
}
