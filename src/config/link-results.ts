import { ReadbackError } from '../errors.ts';
import { conditionMemberUses, type MemberUse, memberUses } from '../templates/index.ts';
import type { Draft } from './destination.ts';
import type { Files } from './parts.ts';
import { stepsBefore } from './play.ts';
import { closest } from './suggest.ts';

/** What a later step may know of an earlier one. */
export const resultNames = ['id', 'url', 'state'] as const;

/** Holds every `results.…` of a destination's templates against the steps that it comes after. */
export function checkResults(draft: Draft, drafts: Files<Draft>): ReadbackError[] {
  const { destination, located } = draft;
  const { fields, leftFields, when, after } = destination;
  const known = new Map([...drafts.loaded].map(([name, one]) => [name, one.destination]));
  const earlier = stepsBefore(known, destination.name);
  const usesIn = (key: string, templates: Record<string, string>) =>
    Object.entries(templates).flatMap(([field, text]) =>
      memberUses(text, located.placeOfText([key, field]), 'results'),
    );
  const uses = [...usesIn('fields', fields), ...usesIn('left_fields', leftFields ?? {})];
  if (when !== undefined) uses.push(...conditionMemberUses(when, located.placeOfText(['when']), 'results'));
  return uses.flatMap((use) => {
    const [step] = use.members;
    // Without `after`, `results` is a column like any other, unless it is meant for a step.
    if (after.length === 0 && (step === undefined || !drafts.written.has(step))) return [];
    const mistake = mistakeIn(use, earlier, drafts);
    return mistake
      ? [new ReadbackError('TEMPLATE', mistake.message, { place: use.place, hint: mistake.hint })]
      : [];
  });
}

interface Mistake {
  message: string;
  hint: string;
}

function mistakeIn(
  { members: [step, result, ...more], bare }: MemberUse,
  earlier: ReadonlySet<string>,
  drafts: Files<Draft>,
): Mistake | undefined {
  if (step === undefined)
    return { message: '`results` needs the name of a step', hint: 'write results.<step>.id' };
  if (!earlier.has(step)) {
    const guess = closest(step, earlier);
    const hint = drafts.written.has(step) ? `add after: ${step}` : guess && `did you mean \`${guess}\`?`;
    const message = `\`${step}\` is no step that this one comes after`;
    return { message, hint: hint ?? `its earlier steps are ${[...earlier].join(', ')}` };
  }
  if (result === undefined || more.length > 0 || !resultNames.some((name) => name === result)) {
    const message = `a step's results are ${resultNames.join(', ')}, not \`${[result ?? '…', ...more].join('.')}\``;
    return { message, hint: `write results.${step}.id, .url or .state` };
  }
  const draft = drafts.loaded.get(step);
  if (!draft || result === 'state') return undefined;
  if (result === 'url' && !draft.action.link) {
    const message = `\`${step}\` has no url: \`${draft.destination.action}\` makes nothing whose page its id tells`;
    return { message, hint: `use results.${step}.id` };
  }
  if (!bare || draft.destination.onFailure !== 'skip') return undefined;
  const message = `\`${step}\` may be skipped (its on_failure), and then has no ${result}`;
  return { message, hint: `say what to print then: {{ results.${step}.${result} | default: '…' }}` };
}
