import type { Destination, Transition } from '../config/model.ts';
import { conditionMemberUses, type MemberUse, memberUses } from '../templates/index.ts';

/** The steps whose results a destination's templates and condition name. */
export interface Uses {
  condition: readonly string[];
  fields(transition: Transition): readonly string[];
}

/** Reads out of a destination's templates of which steps they use the results. */
export function usesOf(destination: Destination | undefined): Uses {
  // Without `after`, `results` is a column like any other.
  if (!destination || destination.after.length === 0) return { condition: [], fields: () => [] };
  const { file, fields, leftFields, when } = destination;
  const place = { file, line: 1, column: 1 };
  const stepsIn = (templates: Record<string, string>) =>
    Object.values(templates).flatMap((text) => stepsOf(memberUses(text, place, 'results')));
  const present = stepsIn(fields);
  const left = leftFields ? stepsIn(leftFields) : present;
  return {
    condition: when === undefined ? [] : stepsOf(conditionMemberUses(when, place, 'results')),
    fields: (transition) => (transition === 'left' ? left : present),
  };
}

function stepsOf(uses: readonly MemberUse[]): string[] {
  return uses.flatMap(({ members: [step] }) => step ?? []);
}
