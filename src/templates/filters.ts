import { type Liquid, filters as liquidFilters } from 'liquidjs';
import { formatDate, moveDate } from './dates.ts';
import { ExactNumber, isDecimal } from './exact.ts';

type Filter = (this: unknown, ...values: never[]) => unknown;

/**
 * Filters of Liquid that are left out: those that read the clock or a dice (a retry must render the same text) and
 * those that evaluate an expression hidden in a string (its variables could not be checked before).
 */
const withheld = [
  'sample',
  'date_to_xmlschema',
  'date_to_rfc822',
  'date_to_string',
  'date_to_long_string',
  'where_exp',
  'reject_exp',
  'group_by_exp',
  'has_exp',
  'find_index_exp',
  'find_exp',
] as const;

const arithmetic = [
  'abs',
  'at_least',
  'at_most',
  'ceil',
  'divided_by',
  'floor',
  'minus',
  'modulo',
  'plus',
  'round',
  'times',
] as const;

/** `&`, `<` and `>` as Slack's mrkdwn wants them. */
function slackEscape(value: unknown): string {
  return String(value).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** `0.873 | percent` is `87%`; `0.873 | percent: 1` is `87.3%`. */
function percent(value: unknown, digits: unknown = 0): string {
  const places = digitCount('percent', digits);
  const format = { style: 'percent', minimumFractionDigits: places, maximumFractionDigits: places } as const;
  return formatExactly(new Intl.NumberFormat('en-US', format), numberIn('percent', value));
}

/** `1234.5 | money` is `$1,234.50`; `| money: 'EUR'` for another currency. Long amounts keep every digit. */
function money(value: unknown, currency: unknown = 'USD'): string {
  const amount = numberIn('money', value);
  if (typeof currency !== 'string' || !/^[A-Z]{3}$/.test(currency))
    throw new TypeError("`money` needs a currency code such as 'USD' or 'EUR'");
  return formatExactly(new Intl.NumberFormat('en-US', { style: 'currency', currency }), amount);
}

/** Intl formats decimal text digit for digit, which TypeScript's types do not know. */
function formatExactly(format: Intl.NumberFormat, decimal: string): string {
  return format.format(decimal as unknown as number);
}

/** The decimal text of a number, or of text that is one. The value itself never goes into the message. */
function numberIn(filter: string, value: unknown): string {
  const text = typeof value === 'number' || value instanceof ExactNumber ? String(value) : value;
  if (typeof text !== 'string' || !isDecimal(text)) throw new TypeError(`\`${filter}\` needs a number`);
  return text;
}

function digitCount(filter: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 20) return value;
  throw new TypeError(`\`${filter}\` takes a number of digits from 0 to 20`);
}

/** Liquid's arithmetic takes 0 for anything that is not a number; a wrong amount is worse than none. */
function strictArithmetic(name: (typeof arithmetic)[number]): Filter {
  const original = liquidFilters[name] as (this: unknown, ...operands: unknown[]) => unknown;
  return function (this: unknown, ...operands: unknown[]) {
    const numbers = operands.map((operand) =>
      typeof operand === 'boolean' ? operand : Number(exactOrThrow(name, operand)),
    );
    if ((name === 'divided_by' || name === 'modulo') && numbers[1] === 0)
      throw new RangeError(`\`${name}\` by zero`);
    return original.call(this, ...numbers);
  } as Filter;
}

function exactOrThrow(filter: string, operand: unknown): number {
  return operand instanceof ExactNumber ? operand.valueOf() : Number(numberIn(filter, operand));
}

/** `plus` and `minus` also move dates: `now | plus: '2d'`. */
function moving(name: 'plus' | 'minus'): Filter {
  const number = strictArithmetic(name) as (this: unknown, ...operands: unknown[]) => unknown;
  return function (this: unknown, value: unknown, amount: unknown) {
    const moved = moveDate(value, amount, name === 'plus' ? 1 : -1);
    if (moved !== undefined) return moved;
    if (typeof amount === 'string' && !isDecimal(amount))
      throw new TypeError(`\`${name}\` needs a date and a duration such as '2d', or two numbers`);
    return number.call(this, value, amount);
  } as Filter;
}

/** Filters that make a vendor's special characters harmless, by the name a connector's `escape` uses. */
export const escapes: Readonly<Record<string, (value: unknown) => string>> = {
  slack_escape: slackEscape,
  html_escape: htmlEscape,
};

/** Gives an engine our filters, and takes away those that cannot be allowed. */
export function installFilters(liquid: Liquid): void {
  for (const name of withheld) liquid.unregisterFilter(name);
  for (const name of arithmetic) liquid.registerFilter(name, strictArithmetic(name) as never);
  liquid.registerFilter('plus', moving('plus') as never);
  liquid.registerFilter('minus', moving('minus') as never);
  liquid.registerFilter('date', formatDate as never);
  liquid.registerFilter('percent', percent);
  liquid.registerFilter('money', money);
  for (const [name, filter] of Object.entries(escapes)) liquid.registerFilter(name, filter);
}

/** Text as HTML shows it, between tags and inside quoted attributes. */
function htmlEscape(value: unknown): string {
  const names: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return String(value ?? '').replace(/[&<>"']/g, (character) => names[character] ?? '');
}
