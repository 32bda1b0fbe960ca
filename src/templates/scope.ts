import type { Column, Value } from '../warehouses/warehouse.ts';
import { ExactNumber, isDecimal } from './exact.ts';

/** The variables of a template by name. It has no prototype, so only what was put in can be reached. */
export type Scope = Readonly<Record<string, unknown>>;

/** The template values of one warehouse row. Names are case sensitive, as the warehouse returns them. */
export function rowScope(columns: readonly Column[], values: readonly Value[]): Scope {
  const scope = bare();
  columns.forEach((column, index) => {
    scope[column.name] = templateValue(column, values[index] ?? null);
  });
  return scope;
}

/** One scope of several; where two have the same name, the later one wins. */
export function joinScopes(...scopes: Readonly<Record<string, unknown>>[]): Scope {
  const joined = bare();
  for (const scope of scopes) for (const name of Object.keys(scope)) joined[name] = scope[name];
  return joined;
}

/** An object that inherits nothing. `Object.create(null)` would make it a hash table, four times the size. */
function bare(): Record<string, unknown> {
  return Object.setPrototypeOf({}, null);
}

/** What a template sees of one exact warehouse value. */
export function templateValue(column: Pick<Column, 'type'>, text: Value): unknown {
  if (text === null) return null;
  switch (column.type) {
    case 'boolean':
      return text === 'true';
    case 'integer':
    case 'decimal':
    case 'float':
      return numeric(text);
    case 'json':
      return parseJson(text);
    default:
      return text;
  }
}

/** A JavaScript number only if it prints the very same text. */
function numeric(text: string): unknown {
  if (String(Number(text)) === text) return Number(text);
  return isDecimal(text) ? new ExactNumber(text) : text;
}

/** JSON numbers lose digits in JSON.parse, so long ones stay exact too. Text that is not JSON stays text. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text, reviveExactly);
  } catch {
    return text;
  }
}

/** Node 21 and later hand the source text of a number to the reviver; earlier ones do not, and keep the number. */
function reviveExactly(key: string, value: unknown, context?: { source?: string }): unknown {
  if (key === '__proto__') return undefined;
  if (typeof value === 'number' && context?.source !== undefined) return numeric(context.source);
  return value;
}
