import { type Liquid, type Template as LiquidTemplate, Variable } from 'liquidjs';
import { LRUCache } from 'lru-cache';
import type { Place } from '../errors.ts';
import { engineFor, plainRenderer } from './engine.ts';
import { placeWithin, templateError, undefinedVariable } from './failure.ts';
import type { Scope } from './scope.ts';

export interface Template {
  /** The variables it needs from outside, `now` included when it is used. */
  variables: string[];
  /** @throws ReadbackError TEMPLATE naming the variable that is missing or null; never a value of the row */
  render(scope: Scope): string;
}

export interface CompileOptions {
  /** Filter for every `{{ }}` that does not end in `| raw`, such as `slack_escape`. */
  escape?: string | undefined;
}

interface Need {
  name: string;
  row: number;
  column: number;
}

/** A parsed template and the outside variables it names, in the order they appear. */
export interface Parsed {
  templates: LiquidTemplate[];
  needs: Need[];
}

const parsed = new LRUCache<string, Parsed>({ max: 2000 });

/**
 * Compiles a template of a project file. `place` is where its text begins in that file.
 *
 * @throws ReadbackError TEMPLATE with the place of the mistake
 */
export function compileTemplate(text: string, place: Place, options: CompileOptions = {}): Template {
  const liquid = engineFor(options.escape);
  const { templates, needs } = parseTemplate(text, place, liquid, options.escape ?? '');
  const plain = plainRenderer(templates);
  return {
    variables: names(needs),
    render(scope) {
      requireVariables(needs, scope, place);
      try {
        if (plain) return plain(scope);
      } catch {
        // LiquidJS comes to the same complaint, and knows its place.
      }
      try {
        return String(liquid.renderSync(templates, scope));
      } catch (error) {
        throw templateError(error, text, place);
      }
    },
  };
}

/** Parses once per text and escape. */
export function parseTemplate(text: string, place: Place, liquid: Liquid, escapeName: string): Parsed {
  const cacheKey = `${escapeName}\0${text}`;
  const known = parsed.get(cacheKey);
  if (known) return known;
  try {
    const templates = liquid.parse(text);
    const fresh = { templates, needs: needsOf(liquid, templates) };
    parsed.set(cacheKey, fresh);
    return fresh;
  } catch (error) {
    throw templateError(error, text, place);
  }
}

export function names(needs: Need[]): string[] {
  return [...new Set(needs.map(({ name }) => name))];
}

function needsOf(liquid: Liquid, templates: LiquidTemplate[]): Need[] {
  const { globals } = liquid.analyzeSync(templates, { partials: false });
  return Object.values(globals).flatMap((variables) =>
    variables.flatMap((variable: Variable) => {
      const name = variable.segments[0];
      const { row, col } = variable.location;
      return name === undefined || name instanceof Variable ? [] : [{ name: String(name), row, column: col }];
    }),
  );
}

/**
 * Every variable must be there before anything is rendered, also those of a branch that is not taken: whether a
 * template works must not depend on the row.
 */
export function requireVariables(needs: Need[], scope: Scope, place: Place): void {
  for (const { name, row, column } of needs)
    if (!Object.hasOwn(scope, name) || scope[name] === undefined)
      throw undefinedVariable(name, placeWithin(place, row, column), scope);
}
