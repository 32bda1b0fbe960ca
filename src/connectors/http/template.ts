/** A placeholder: a field, or one of the names that `rules.ts` knows. */
const placeholder = /\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** Gives the value of a placeholder; undefined when there is none. */
export type Lookup<T> = (name: string) => T | undefined;

/** The names that a text, or any text inside a JSON value, asks for. */
export function namesIn(template: unknown): string[] {
  return textsIn(template).flatMap((text) => [...text.matchAll(placeholder)].map(([, name]) => name ?? ''));
}

/** Every text inside a JSON value, keys not included. */
export function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** The one name that the text is made of, as in `{quantity}`. */
export function wholeName(text: string): string | undefined {
  return /^\{([A-Za-z_][A-Za-z0-9_]*)\}$/.exec(text)?.[1];
}

/** Braces that are not part of a placeholder. */
export function hasLooseBraces(text: string): boolean {
  return /[{}]/.test(text.replace(placeholder, ''));
}

export function fillText(text: string, lookup: Lookup<string>): string {
  return text.replace(placeholder, (_, name: string) => lookup(name) ?? '');
}

/**
 * Fills a JSON value. A text that is one placeholder becomes the value with its type; a key whose value is not given is
 * left out.
 */
export function fillJson(template: unknown, lookup: Lookup<unknown>): unknown {
  if (typeof template === 'string') {
    const name = wholeName(template);
    return name === undefined ? fillText(template, (one) => asText(lookup(one))) : lookup(name);
  }
  if (Array.isArray(template)) return template.map((item) => fillJson(item, lookup));
  if (typeof template !== 'object' || template === null) return template;
  const entries = Object.entries(template).map(([key, item]) => [key, fillJson(item, lookup)] as const);
  return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
}

function asText(value: unknown): string | undefined {
  return value === undefined || value === null ? undefined : String(value);
}

/** A value that cannot stand in an address without changing which address it is. */
export class Unaddressable extends Error {
  constructor() {
    super('a value in the path is empty, `.`, `..` or no text');
    this.name = 'Unaddressable';
  }
}

/**
 * Fills a path; every value stays inside its segment, whatever it holds.
 *
 * @throws Unaddressable for a segment that servers would resolve to another path
 */
export function fillPath(path: string, lookup: Lookup<string>): string {
  const segments = path.split('/').map((segment) => {
    if (namesIn(segment).length === 0) return segment;
    const filled = fillText(segment, (name) => escaped(lookup(name) ?? ''));
    if (filled === '' || filled === '.' || filled === '..') throw new Unaddressable();
    return filled;
  });
  return segments.join('/');
}

/** `?a=1&b=2`, or nothing. A parameter that is one placeholder without a value is left out. */
export function fillQuery(query: Readonly<Record<string, string>>, lookup: Lookup<string>): string {
  const pairs = Object.entries(query).flatMap(([name, text]) => {
    const whole = wholeName(text);
    if (whole !== undefined && lookup(whole) === undefined) return [];
    return [`${escaped(name)}=${escaped(fillText(text, lookup))}`];
  });
  return pairs.length > 0 ? `?${pairs.join('&')}` : '';
}

function escaped(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    // Half of a surrogate pair.
    throw new Unaddressable();
  }
}
