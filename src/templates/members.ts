import { type Liquid, type Template as LiquidTemplate, Output, TypeGuards, Variable } from 'liquidjs';
import type { Place } from '../errors.ts';
import { asOutput } from './condition.ts';
import { engineFor } from './engine.ts';
import { placeWithin } from './failure.ts';
import { parseTemplate } from './template.ts';

/** A use of an object's member in a template, such as `results.ticket.url`. */
export interface MemberUse {
  /** The names after the object's own; undefined for one that is computed. */
  members: (string | undefined)[];
  place: Place;
  /** It is printed, and nothing says what to print when there is nothing. */
  bare: boolean;
}

/** Where a template names members of the outside variable `object`. The text must compile. */
export function memberUses(text: string, place: Place, object: string): MemberUse[] {
  return usesIn(text, place, object, true);
}

/** The same for a condition, in which nothing is printed. */
export function conditionMemberUses(text: string, place: Place, object: string): MemberUse[] {
  const output = asOutput(text, place);
  return usesIn(output.text, output.place, object, false);
}

function usesIn(text: string, place: Place, object: string, prints: boolean): MemberUse[] {
  const liquid = engineFor(undefined);
  const { templates } = parseTemplate(text, place, liquid, '');
  const bare = prints ? printedBare(liquid, templates) : new Set<string>();
  const { globals } = liquid.analyzeSync(templates, { partials: false });
  return (globals[object] ?? []).map(({ segments, location: { row, col } }) => ({
    members: segments.slice(1).map((one) => (one instanceof Variable ? undefined : String(one))),
    place: placeWithin(place, row, col),
    bare: bare.has(`${row}:${col}`),
  }));
}

/** Positions of the variables that are printed without `default`. */
function printedBare(liquid: Liquid, templates: readonly LiquidTemplate[]): Set<string> {
  const found = new Set<string>();
  for (const template of templates) {
    if (template instanceof Output) {
      const { initial, filters } = template.value;
      if (filters.some(({ name }) => name === 'default')) continue;
      for (const token of initial.postfix)
        if (TypeGuards.isPropertyAccessToken(token)) found.add(token.getPosition().join(':'));
    }
    for (const child of childrenOf(template)) for (const one of printedBare(liquid, [child])) found.add(one);
  }
  return found;
}

/** What a tag encloses. */
function childrenOf(template: LiquidTemplate): LiquidTemplate[] {
  if (!template.children) return [];
  const asked = template.children(false, true);
  const step = asked.next();
  return step.done && Array.isArray(step.value) ? step.value : [];
}
