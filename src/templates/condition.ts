import { Context, isTruthy, type Output, type Token, TypeGuards, toValueSync } from 'liquidjs';
import type { Place } from '../errors.ts';
import { bareVariable, engineFor } from './engine.ts';
import { placeWithin, templateError } from './failure.ts';
import { operators } from './operators.ts';
import type { Scope } from './scope.ts';
import { SyntaxMistake } from './syntax.ts';
import { names, parseTemplate, requireVariables } from './template.ts';

export interface Condition {
  variables: string[];
  /** @throws ReadbackError TEMPLATE when a variable is missing or two kinds of value cannot be compared */
  test(scope: Scope): boolean;
}

/** What people who write SQL all day write, and what a condition wants instead. */
const sqlisms: [RegExp, string, string][] = [
  [/<>/, '`<>` is SQL', 'write !='],
  [/(?<![=!<>])=(?!=)/, '`=` is SQL', 'write =='],
  [/\bis\s+not\s+(?:null|nil)\b/i, '`is not null` is SQL', 'write != nil'],
  [/\bis\s+(?:null|nil)\b/i, '`is null` is SQL', 'write == nil'],
  [/\b(?:not\s+)?in\s*\(/i, '`in (…)` is SQL', "write a == 'x' or a == 'y'"],
  [/\b(?:i?like|between)\b/i, 'this is SQL', 'write contains, or >= and <='],
  [
    /\b(?:AND|OR|NOT|NULL|TRUE|FALSE)\b/,
    'operators and literals are lower case',
    'write and, or, not, nil, true, false',
  ],
  [/&&/, '`&&` is not an operator', 'write and'],
  [/\|\|/, '`||` is not an operator', 'write or'],
  [/!(?!=)/, '`!` is not an operator', 'write not'],
  [/\{[{%]|[}%]\}/, 'a condition is written without braces', "write plan != 'free'"],
];

/** A condition as the output that it is parsed as: the opening braces shift its first row to the right. */
export function asOutput(text: string, place: Place): { text: string; place: Place } {
  const opening = '{{ ';
  return { text: `${opening}${text} }}`, place: placeWithin(place, 1, 1 - opening.length) };
}

/**
 * Compiles a Liquid condition such as `plan != 'free' and mrr > 100`. Null is nil without complaint: it equals only
 * nil and is neither smaller nor larger than anything. An unknown variable is an error.
 *
 * @throws ReadbackError TEMPLATE with the place of the mistake
 */
export function compileCondition(text: string, place: Place): Condition {
  refuseSql(text, place);
  const liquid = engineFor(undefined);
  const { text: written, place: origin } = asOutput(text, place);
  const { templates, needs } = parseTemplate(written, origin, liquid, '');
  const { value } = templates[0] as Output;
  const contextOf = (scope: Scope) => new Context(scope, liquid.options, { sync: true }, { liquid } as never);
  const empty = contextOf({});
  const plain = value.filters.length === 0 ? plainExpression(value.initial.postfix, empty) : undefined;
  return {
    variables: names(needs),
    test(scope) {
      requireVariables(needs, scope, origin);
      try {
        return isTruthy(plain ? plain(scope) : toValueSync(value.value(contextOf(scope))), empty);
      } catch (error) {
        throw conditionError(error, text, place);
      }
    },
  };
}

/**
 * Evaluates an expression of nothing but bare variables, literals and operators, as most conditions are, with LiquidJS'
 * operators in a quarter of its time; undefined for any other.
 *
 * @param context for operators, which look at nothing but its options
 */
function plainExpression(
  postfix: readonly Token[],
  context: Context,
): ((scope: Scope) => unknown) | undefined {
  const steps: ((operands: unknown[], scope: Scope) => unknown)[] = [];
  for (const token of postfix) {
    const name = bareVariable(token);
    if (TypeGuards.isOperatorToken(token)) {
      const operator = operators[token.operator] as (...values: unknown[]) => unknown;
      const count = token.operator === 'not' ? 1 : 2;
      steps.push((operands) => toValueSync(operator(...operands.splice(-count), context)));
    } else if (name !== undefined) {
      steps.push((_, scope) => scope[name]);
    } else if ('content' in token) {
      steps.push(() => token.content);
    } else return undefined;
  }
  return (scope) => {
    const operands: unknown[] = [];
    for (const step of steps) operands.push(step(operands, scope));
    return operands[0];
  };
}

function conditionError(error: unknown, text: string, place: Place) {
  const isComparison = error instanceof TypeError || error instanceof RangeError;
  return templateError(isComparison ? new SyntaxMistake(error.message, 0) : error, text, place);
}

function refuseSql(text: string, place: Place): void {
  if (text.trim() === '') throw templateError(new SyntaxMistake('the condition is empty', 0), text, place);
  const code = text.replace(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/gs, (quoted) => ' '.repeat(quoted.length));
  for (const [pattern, message, hint] of sqlisms) {
    const match = pattern.exec(code);
    if (match) throw templateError(new SyntaxMistake(message, match.index, hint), text, place);
  }
}
