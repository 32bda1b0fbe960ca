import type { Draft } from './destination.ts';
import type { Complain } from './link-parent.ts';
import type { Destination } from './model.ts';
import type { Files } from './parts.ts';
import { stepsAfter, stepsBefore, stepsToUndo } from './play.ts';
import { suggest } from './suggest.ts';
import { inverseOf } from './undo.ts';

/** Checks a destination as a step of a play: what it comes after, and whether that could be undone. */
export function checkPlay(draft: Draft, drafts: Files<Draft>, complain: Complain): void {
  const { destination, located } = draft;
  const steps = stepsOf(drafts);
  const asWritten = located.value as { after?: unknown };
  destination.after.forEach((earlier, index) => {
    const path = Array.isArray(asWritten.after) ? ['after', index] : ['after'];
    if (!drafts.written.has(earlier))
      complain(path, `there is no destination \`${earlier}\``, suggest(earlier, drafts.written.keys()));
    const known = steps.get(earlier);
    if (known) checkSameMessages(destination, known, path, complain);
  });
  if (stepsBefore(steps, destination.name).has(destination.name)) {
    const circle = [...steps.keys()].filter(
      (name) =>
        stepsBefore(steps, name).has(destination.name) && stepsAfter(steps, [name]).has(destination.name),
    );
    const message = `destinations come after each other in a circle: ${circle.join(', ')}`;
    complain(['after'], message, 'remove one of the after');
  } else if (destination.onFailure === 'compensate') checkUndoable(destination, drafts, complain);
}

/** A step waits for the action of the same message, so every message of one must be one of the other. */
function checkSameMessages(
  later: Destination,
  earlier: Destination,
  path: (string | number)[],
  complain: Complain,
): void {
  for (const key of ['signals', 'on'] as const) {
    if (later[key].toSorted().join() === earlier[key].toSorted().join()) continue;
    complain(
      path,
      `\`${earlier.name}\` has other \`${key}\` (${earlier[key].join(', ')}) than this step of its play (${later[key].join(', ')})`,
      `write the same \`${key}\` in both`,
    );
  }
}

function checkUndoable(destination: Destination, drafts: Files<Draft>, complain: Complain): void {
  if (destination.after.length === 0)
    complain(
      ['on_failure'],
      'there is no earlier step to undo',
      'name the earlier step as after:, or remove it',
    );
  for (const name of stepsToUndo(stepsOf(drafts), destination.name)) {
    const draft = drafts.loaded.get(name);
    if (!draft || inverseOf(draft.action, draft.destination)) continue;
    const message = `\`${name}\` cannot be undone: nothing undoes \`${draft.destination.action}\`${typeof draft.action.inverse === 'function' ? ' as it is written there' : ''}`;
    complain(['on_failure'], message, 'use stop or skip, or let that step come after this one');
  }
}

function stepsOf(drafts: Files<Draft>): Map<string, Destination> {
  return new Map([...drafts.loaded].map(([name, { destination }]) => [name, destination]));
}
