import { type Context, defaultOperators, type LiquidOptions } from 'liquidjs';
import { compareDecimals, ExactNumber, isDecimal, numberText } from './exact.ts';

type BinaryOperator = (left: unknown, right: unknown, context: Context) => boolean;

/**
 * Liquid's ordering operators, made safe for decisions. In plain JavaScript `null < 100` and `null >= 0` hold, so a
 * customer without a value would be acted on; here, as in SQL, nothing is smaller or larger than nil.
 */
function ordering(accept: (sign: number) => boolean): (left: unknown, right: unknown) => boolean {
  return (left, right) => {
    if (left === null || left === undefined || right === null || right === undefined) return false;
    const sign = compare(left, right);
    return sign !== undefined && accept(sign);
  };
}

function compare(left: unknown, right: unknown): number | undefined {
  const [a, b] = [numberText(left), numberText(right)];
  if (a !== undefined && b !== undefined) return compareDecimals(a, b);
  if (typeof left === 'string' && typeof right === 'string')
    return left === right ? 0 : left < right ? -1 : 1;
  const text = typeof left === 'string' ? left : typeof right === 'string' ? right : undefined;
  if (text !== undefined && isDecimal(text) && (a ?? b) !== undefined)
    return compareDecimals(a ?? text, b ?? text);
  throw new TypeError(`cannot order ${kindOf(left)} and ${kindOf(right)}`);
}

/** `customer_id == 42` on a text column is false for every row, in silence; so say it instead. */
function refuseMixed(left: unknown, right: unknown): void {
  for (const [one, other] of [
    [left, right],
    [right, left],
  ])
    if (typeof one === 'string' && isDecimal(one) && numberText(other) !== undefined)
      throw new TypeError('text and a number are never equal; quote both or neither');
}

function kindOf(value: unknown): string {
  if (typeof value === 'string') return 'text';
  if (typeof value === 'number' || value instanceof ExactNumber) return 'a number';
  if (typeof value === 'boolean') return 'a boolean';
  return Array.isArray(value) ? 'a list' : 'an object';
}

function equality(name: '==' | '!='): BinaryOperator {
  const original = defaultOperators[name] as BinaryOperator;
  return (left, right, context) => {
    refuseMixed(left, right);
    return original(left, right, context);
  };
}

export const operators: NonNullable<LiquidOptions['operators']> = {
  ...defaultOperators,
  '==': equality('=='),
  '!=': equality('!='),
  '<': ordering((sign) => sign < 0),
  '>': ordering((sign) => sign > 0),
  '<=': ordering((sign) => sign <= 0),
  '>=': ordering((sign) => sign >= 0),
};
