import type { ActionType, Inverse } from '../connectors/connector.ts';
import type { ConnectionConfig, Destination } from './model.ts';
import { stepsToUndo } from './play.ts';

/** The destination that undoes another; the ledger's queries make the name the same way. No file can have it. */
export function undoName(name: string): string {
  return `${name}.undo`;
}

/**
 * For every step that a play may have to undo, the destination that does so: the connector's inverse action on the same
 * connection. It waits for the undoing of what came after the step.
 */
export function undoings(
  destinations: ReadonlyMap<string, Destination>,
  connections: ReadonlyMap<string, ConnectionConfig>,
): Destination[] {
  const compensating = [...destinations.values()].filter(({ onFailure }) => onFailure === 'compensate');
  const undone = new Set(compensating.flatMap(({ name }) => [...stepsToUndo(destinations, name)]));
  return [...undone].flatMap((name) => {
    const origin = destinations.get(name);
    const actions = connections.get(origin?.connection ?? '')?.actions;
    const inverse = origin && inverseOf(actions?.[origin.action], origin);
    const type = inverse && actions?.[inverse.action];
    if (!type) return [];
    const later = [...destinations.values()].filter(
      (one) => undone.has(one.name) && one.after.includes(name),
    );
    return {
      ...origin,
      name: undoName(name),
      description: `Undoes what ${name} did, when a later step of its play fails.`,
      action: inverse.action,
      options: type.options.parse(inverse.options ?? {}),
      on: [],
      when: undefined,
      enrich: [],
      fields: { ...inverse.fields },
      leftFields: undefined,
      follows: undefined,
      after: later.map((one) => undoName(one.name)),
      onFailure: 'stop',
      undoes: name,
      verify: { ...origin.verify, fields: undefined },
      lanes: 1,
      places: new Map(),
    };
  });
}

/** What undoes an action as this destination has it; undefined when nothing does. */
export function inverseOf(
  type: ActionType | undefined,
  { action, fields, options }: Pick<Destination, 'action' | 'fields' | 'options'>,
): Inverse | undefined {
  const inverse = type?.inverse;
  return typeof inverse === 'function' ? inverse({ action, fields, options }) : inverse;
}

/** A step to undo, and what does it. */
export interface Undo {
  destination: string;
  undo: string;
  ttl_seconds: number;
}

/** What is to be undone when a destination's action ends without effect; empty unless it compensates. */
export function undosFor(
  destinations: ReadonlyMap<string, Destination>,
  { name, onFailure }: Destination,
): Undo[] {
  if (onFailure !== 'compensate') return [];
  return [...stepsToUndo(destinations, name)].flatMap((step) => {
    const undo = destinations.get(undoName(step));
    return undo ? { destination: step, undo: undo.name, ttl_seconds: undo.ttlMs / 1000 } : [];
  });
}

/** The same for all of these that compensate, by name. */
export function undosOf(
  destinations: ReadonlyMap<string, Destination>,
  chosen: readonly Destination[],
): Map<string, Undo[]> {
  const compensating = chosen.filter(({ onFailure }) => onFailure === 'compensate');
  return new Map(compensating.map((one) => [one.name, undosFor(destinations, one)]));
}
