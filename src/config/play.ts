import type { Destination, Project, Signal } from './model.ts';

/** A destination as far as plays know it. */
type Step = Pick<Destination, 'after'>;

/** The destinations that have a file; what undoes one has none. */
export function writtenDestinations({ destinations }: Project): Destination[] {
  return [...destinations.values()].filter(({ undoes }) => undoes === undefined);
}

/** The destinations that a signal's messages go to; what undoes one is planned by its play alone. */
export function subscribers(project: Project, signal: Signal): Destination[] {
  return writtenDestinations(project).filter(({ signals }) => signals.includes(signal.name));
}

/** All destinations that one comes after, directly or through others. */
export function stepsBefore(steps: ReadonlyMap<string, Step>, name: string): Set<string> {
  return reached([name], (one) => steps.get(one)?.after ?? []);
}

/** All destinations that come after any of these, directly or through others. */
export function stepsAfter(steps: ReadonlyMap<string, Step>, names: Iterable<string>): Set<string> {
  const next = (name: string) =>
    [...steps].flatMap(([other, { after }]) => (after.includes(name) ? other : []));
  return reached(names, next);
}

/**
 * What a step that compensates undoes: the steps that it comes after, and whatever else came after those and worked on
 * what is then gone.
 */
export function stepsToUndo(steps: ReadonlyMap<string, Step>, name: string): Set<string> {
  const earlier = stepsBefore(steps, name);
  const theirs = new Set([...earlier, ...stepsAfter(steps, earlier)]);
  for (const one of [name, ...stepsAfter(steps, [name])]) theirs.delete(one);
  return theirs;
}

/** Who is reached from these, without them unless a circle leads back. */
function reached(start: Iterable<string>, next: (name: string) => readonly string[]): Set<string> {
  const found = new Set<string>();
  const queue = [...start];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    for (const one of next(name)) {
      if (found.has(one)) continue;
      found.add(one);
      queue.push(one);
    }
  }
  return found;
}

/** Every name behind those that it comes after; what belongs to no play stays where it was. */
export function inOrder(steps: ReadonlyMap<string, Step>): string[] {
  const ordered = new Set<string>();
  const add = (name: string): void => {
    if (ordered.has(name)) return;
    for (const earlier of steps.get(name)?.after ?? []) if (steps.has(earlier)) add(earlier);
    ordered.add(name);
  };
  for (const name of steps.keys()) add(name);
  return [...ordered];
}

/** Where a person finds a destination's record; null where its id does not tell. */
export function linkTo(project: Project, destination: string, id: string): string | null {
  const { connection = '', action = '' } = project.destinations.get(destination) ?? {};
  const config = project.connections.get(connection);
  return config?.actions[action]?.link?.(id, config.settings) ?? null;
}
