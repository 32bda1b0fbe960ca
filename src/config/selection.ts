import { ReadbackError } from '../errors.ts';
import { suggest } from './suggest.ts';

/** What can be asked of a signal or destination, as `method:value`. A bare value is a `name`. */
export const methods = [
  'name',
  'tag',
  'owner',
  'signal',
  'destination',
  'severity',
  'connection',
  'state',
] as const;
export type Method = (typeof methods)[number];

/** One criterion, such as `+tag:daily`. */
export interface Criterion {
  text: string;
  /** From 1, within the whole expression. */
  column: number;
  method: Method;
  value: string;
  /** `+x`: and everything it needs. */
  upstream: boolean;
  /** `x+`: and everything that needs it. */
  downstream: boolean;
}

/** A union of intersections. */
export type Selection = Criterion[][];

/**
 * Reads dbt's selection grammar: a space is a union, a comma an intersection, `+` walks the graph, `*` is a wildcard.
 *
 * @throws ReadbackError SELECTION with the column of the mistake
 */
export function parseSelection(text: string): Selection {
  const selection: Selection = [];
  for (const { 0: term, index } of text.matchAll(/\S+/g)) {
    let column = index + 1;
    const criteria: Criterion[] = [];
    for (const part of term.split(',')) {
      criteria.push(parseCriterion(part, column));
      column += part.length + 1;
    }
    selection.push(criteria);
  }
  if (selection.length === 0)
    throw mistake('the selection is empty', 1, text, 'name a signal, or leave --select out');
  return selection;
}

function parseCriterion(text: string, column: number): Criterion {
  const [, before = '', body = '', after = ''] = /^(\+?)(.*?)(\+?)$/s.exec(text) ?? [];
  if (body === '') throw mistake('something is missing here', column, text, 'write a name, tag:x, owner:x …');
  const colon = body.indexOf(':');
  const method = colon < 0 ? 'name' : body.slice(0, colon);
  const value = body.slice(colon + 1);
  if (!isMethod(method))
    throw mistake(`there is no method \`${method}\``, column + before.length, text, suggest(method, methods));
  if (value === '')
    throw mistake(`\`${method}:\` needs a value`, column + text.length, text, `write ${method}:x`);
  if (method === 'state' && value !== 'modified' && value !== 'new')
    throw mistake(
      '`state:` is modified or new',
      column + before.length + colon + 1,
      text,
      'write state:modified',
    );
  return { text, column, method, value, upstream: before !== '', downstream: after !== '' };
}

function isMethod(text: string): text is Method {
  return (methods as readonly string[]).includes(text);
}

/** A complaint about a selection; its place is a column of the expression. */
export function mistake(
  message: string,
  column: number,
  value: string,
  hint: string | undefined,
): ReadbackError {
  return new ReadbackError('SELECTION', message, {
    place: { file: '--select', line: 1, column },
    value,
    hint,
  });
}
