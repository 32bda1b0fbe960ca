import { type Liquid, type Token, Tokenizer, TypeGuards } from 'liquidjs';
import { compareDecimals } from './exact.ts';

/** A mistake in a template, at an offset of its text. */
export class SyntaxMistake extends Error {
  readonly offset: number;
  readonly hint: string | undefined;

  constructor(message: string, offset: number, hint?: string) {
    super(message);
    this.offset = offset;
    this.hint = hint;
  }
}

interface Expressed {
  initial: { postfix: Token[] };
  filters: { args: unknown[] }[];
}

/** Tags whose argument is one expression. */
const expressionTags = new Set(['if', 'elsif', 'unless', 'case']);

/**
 * Reads every expression of a template once more and refuses what LiquidJS would pass over in silence: operands side by
 * side (`plan is nil` means `plan` to it), text after the end of an expression, and `and` mixed with `or`, which it
 * groups from the right, unlike SQL.
 */
export function checkSyntax(text: string, liquid: Liquid): void {
  const { operators } = liquid.options;
  const tokens = new Tokenizer(text, operators, undefined, undefined, true).readTopLevelTokens(
    liquid.options,
  );
  let inComment = false;
  for (const token of tokens) {
    if (TypeGuards.isTagToken(token)) {
      if (token.name === 'comment') inComment = true;
      if (token.name === 'endcomment') inComment = false;
      if (inComment) continue;
      if (token.name === 'assign') token.tokenizer.readTo('=');
      if (token.name === 'assign' || expressionTags.has(token.name)) readWhole(token.tokenizer);
    } else if (TypeGuards.isOutputToken(token) && !inComment) {
      readWhole(new Tokenizer(text, operators, undefined, token.contentRange, true));
    }
  }
}

function readWhole(tokenizer: Tokenizer): void {
  const value = tokenizer.readFilteredValue();
  tokenizer.skipBlank();
  if (!tokenizer.end()) throw new SyntaxMistake(`unexpected \`${tokenizer.remaining()}\``, tokenizer.p);
  checkExpression(value as unknown as Expressed, value.begin);
}

function checkExpression(value: Expressed, begin: number): void {
  let depth = 0;
  const words = new Set<string>();
  for (const token of value.initial.postfix) {
    if (!TypeGuards.isOperatorToken(token)) {
      depth += 1;
      checkOperand(token);
      continue;
    }
    words.add(token.operator);
    const operands = token.operator === 'not' ? 1 : 2;
    if (depth < operands) throw new SyntaxMistake(`\`${token.operator}\` lacks a side`, token.begin);
    depth += 1 - operands;
  }
  if (depth !== 1)
    throw new SyntaxMistake(
      'two values stand side by side',
      begin,
      'put an operator such as == between them',
    );
  if (words.has('and') && words.has('or'))
    throw new SyntaxMistake('`and` and `or` are mixed', begin, 'say what belongs together with parentheses');
  for (const filter of value.filters)
    for (const argument of filter.args) {
      const token = Array.isArray(argument) ? argument[1] : argument;
      if (token) checkOperand(token as Token);
    }
}

function checkOperand(token: Token): void {
  if (TypeGuards.isFilteredValueToken(token)) checkExpression(token as unknown as Expressed, token.begin);
  if (TypeGuards.isNumberToken(token) && compareDecimals(String(token.content), token.getText()) !== 0)
    throw new SyntaxMistake('the number has too many digits to be compared', token.begin);
}
