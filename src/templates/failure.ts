import { LiquidError, type Token } from 'liquidjs';
import { closest } from '../config/suggest.ts';
import { type Place, ReadbackError } from '../errors.ts';
import { EmptyOutput } from './engine.ts';
import type { Scope } from './scope.ts';
import { SyntaxMistake } from './syntax.ts';

/** Where row and column of a template (from 1) are in the file that holds it. */
export function placeWithin(place: Place, row: number, column: number): Place {
  if (place.line === undefined || place.column === undefined) return place;
  // Later rows of a YAML block start at the same column as the first.
  return { file: place.file, line: place.line + row - 1, column: place.column + column - 1 };
}

/** A complaint about a template whose variables are checked before it is rendered. */
export function undefinedVariable(name: string, place: Place, scope: Scope): ReadbackError {
  const guess = closest(name, Object.keys(scope));
  return new ReadbackError('TEMPLATE', `variable \`${name}\` is not provided`, {
    place,
    hint: guess
      ? `did you mean \`${guess}\`?`
      : 'select it in the signal or add an enrichment that provides it; names are case sensitive',
  });
}

/** Turns whatever LiquidJS threw into a ReadbackError. No value of the row ever gets into it. */
export function templateError(error: unknown, text: string, place: Place): ReadbackError {
  if (error instanceof SyntaxMistake) {
    const before = text.slice(0, error.offset).split('\n');
    return new ReadbackError('TEMPLATE', error.message, {
      place: placeWithin(place, before.length, (before.at(-1)?.length ?? 0) + 1),
      hint: error.hint,
    });
  }
  if (!LiquidError.is(error)) {
    const message = error instanceof RangeError ? 'the template is nested too deeply' : String(error);
    return new ReadbackError('TEMPLATE', message, { place, cause: error });
  }
  const { token, originalError } = error as LiquidError & { originalError?: Error };
  const [row, column] = token.getPosition() as [number, number];
  if (error.message.startsWith('expected "|" before filter')) {
    // LiquidJS points behind the character it stumbled over.
    const stumbled = placeWithin(place, row, column - 1);
    if (token.input.startsWith('{{', token.begin - 1))
      return new ReadbackError('TEMPLATE', '{{ stands in an output that is not closed', {
        place: stumbled,
        hint: 'write }} behind the value before it',
      });
    return new ReadbackError('TEMPLATE', 'unexpected text after the value', {
      place: stumbled,
      hint: 'compare with == or !=, and put | before a filter',
    });
  }
  return new ReadbackError('TEMPLATE', messageOf(originalError ?? error, token), {
    place: placeWithin(place, row, column),
    hint: hintFor(originalError ?? error),
  });
}

function messageOf(error: Error, token: Token): string {
  const name = expressionOf(token);
  if (error instanceof EmptyOutput) return `variable \`${name}\` ${error.message}`;
  // LiquidJS appends the place of its own reckoning, which is not the file's.
  return error.message.replace(/, (file|line):.*$/s, '');
}

/** `name` of `{{ name | upcase }}`. */
function expressionOf(token: Token): string {
  return token
    .getText()
    .replace(/^\{\{-?\s*|\s*-?\}\}$/g, '')
    .replace(/\s*\|.*$/s, '');
}

function hintFor(error: Error): string | undefined {
  if (error instanceof EmptyOutput) {
    if (error.message.endsWith('list')) return "say how to print it: `| join: ', '` or `| json`";
    if (error.message.endsWith('object')) return 'name one of its members, or use `| json`';
    return "use `| default: '…'`, or keep such rows away with `when:`";
  }
  if (/^undefined variable/.test(error.message)) return 'the object has no such member';
  if (/^undefined filter/.test(error.message))
    return 'filters are those of Liquid, and percent, money, date, plus, minus, json, slack_escape';
  return undefined;
}
