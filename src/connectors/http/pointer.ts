/** A JSON pointer (RFC 6901): empty for the whole, or `/` before every step, with `~1` for `/` and `~0` for `~`. */
export const pointerPattern = /^(?:\/(?:[^~/]|~[01])*)*$/;

/** What stands at a pointer; undefined when nothing does. */
export function at(value: unknown, pointer: string): unknown {
  let found = value;
  for (const step of pointer.split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Record<string, unknown>)[key];
  }
  return found;
}

/** Strings, to be passed over, and numbers of valid JSON. */
const stringsAndNumbers = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * Reads JSON in which no number loses digits: one that JavaScript would print otherwise (an id of 19 digits, `1.50`)
 * becomes text. A rounded id would be looked for in vain, and an order believed absent is ordered again.
 *
 * @returns undefined when the text is not JSON
 */
export function readJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    const exact = text.replace(stringsAndNumbers, (token) =>
      token.startsWith('"') || String(Number(token)) === token ? token : `"${token}"`,
    );
    return exact === text ? value : JSON.parse(exact);
  } catch {
    return undefined;
  }
}
