/** A literal of Jinja: text, number, true or false. */
export type Literal = string | number | boolean;

/** `ref('model', v=2) | filter`. */
export interface Call {
  name: string;
  positional: Literal[];
  named: ReadonlyMap<string, Literal>;
  filters: string[];
}

const token = /\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(-?\d+(?:\.\d+)?)|([A-Za-z_]\w*)|([(),=|]))/y;

type Token = { kind: 'literal'; value: Literal } | { kind: 'name' | 'mark'; value: string };

/**
 * Reads what stands between `{{` and `}}` as one call of literals, with filters without arguments. Undefined: it is more
 * than that, which is dbt's to understand.
 */
export function parseCall(inner: string): Call | undefined {
  const tokens = tokensOf(inner.replace(/^-|-$/g, ''));
  const name = tokens?.shift();
  if (name?.kind !== 'name' || !tokens || !isMark(tokens.shift(), '(')) return undefined;
  const call: Call & { named: Map<string, Literal> } = {
    name: name.value,
    positional: [],
    named: new Map(),
    filters: [],
  };
  for (let first = true; !isMark(tokens[0], ')'); first = false) {
    if (!first && !isMark(tokens.shift(), ',')) return undefined;
    const [key, equals] = tokens;
    const keyword = key?.kind === 'name' && isMark(equals, '=') ? key.value : undefined;
    if (keyword !== undefined) tokens.splice(0, 2);
    const value = tokens.shift();
    if (value?.kind !== 'literal') return undefined;
    if (keyword === undefined) call.positional.push(value.value);
    else call.named.set(keyword, value.value);
  }
  tokens.shift();
  while (tokens.length > 0) {
    const [bar, filter] = tokens.splice(0, 2);
    if (!isMark(bar, '|') || filter?.kind !== 'name') return undefined;
    call.filters.push(filter.value);
  }
  return call;
}

function tokensOf(text: string): Token[] | undefined {
  const tokens: Token[] = [];
  const whole = text.trimEnd();
  token.lastIndex = 0;
  while (token.lastIndex < whole.length) {
    const found = token.exec(whole);
    if (!found) return undefined;
    const [, single, double, number, name, mark] = found;
    const text = single ?? double;
    if (text !== undefined) tokens.push({ kind: 'literal', value: text.replaceAll(/\\(.)/g, '$1') });
    else if (number !== undefined) tokens.push({ kind: 'literal', value: Number(number) });
    else if (name === undefined) tokens.push({ kind: 'mark', value: mark ?? '' });
    else tokens.push(/^true$|^false$/i.test(name) ? asLiteral(name) : { kind: 'name', value: name });
  }
  return tokens;
}

function asLiteral(name: string): Token {
  return { kind: 'literal', value: name.toLowerCase() === 'true' };
}

function isMark(found: Token | undefined, mark: string): boolean {
  return found?.kind === 'mark' && found.value === mark;
}
