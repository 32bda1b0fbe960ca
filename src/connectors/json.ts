import { z } from 'zod';

/**
 * A field of JSON text, such as a template makes. What is wrong with it is told with the place; its values are not
 * repeated.
 *
 * @param faultOf what is wrong with the value itself
 */
export function jsonField(faultOf: (value: unknown) => string | undefined) {
  return z.string().superRefine((text, context) => {
    const message = faultIn(text, faultOf);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
}

function faultIn(text: string, faultOf: (value: unknown) => string | undefined): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const { line, column } = jsonFault(text) ?? { line: 1, column: 1 };
    return `not JSON from line ${line}, column ${column} on; print a value as {{ value | json }}, without quotes`;
  }
  return faultOf(value);
}

/** Where a text stops being JSON, counted from 1. */
export interface JsonFault {
  line: number;
  column: number;
}

/** The first place at which the text cannot be JSON; undefined when it is. V8 names no place for most mistakes. */
export function jsonFault(text: string): JsonFault | undefined {
  const scanner = new Scanner(text);
  if (scanner.value() && scanner.at === text.length) return undefined;
  const before = text.slice(0, scanner.at).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

const blank = /[ \t\r\n]*/y;
// All but quotes, backslashes and what comes before the blank.
const string = /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y;
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** Reads as far as the text is JSON (RFC 8259); `at` is then where it stopped. */
class Scanner {
  readonly #text: string;
  at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): boolean {
    this.#take(blank);
    const whole = this.#is('{')
      ? this.#members('}', () => this.#name() && this.value())
      : this.#is('[')
        ? this.#members(']', () => this.value())
        : this.#take(string) || this.#take(scalar);
    if (whole) this.#take(blank);
    return whole;
  }

  #name(): boolean {
    this.#take(blank);
    return this.#take(string) && this.#take(blank) && this.#is(':');
  }

  #members(end: string, member: () => boolean): boolean {
    this.#take(blank);
    if (this.#is(end)) return true;
    do if (!member()) return false;
    while (this.#is(','));
    return this.#is(end);
  }

  #is(character: string): boolean {
    if (this.#text[this.at] !== character) return false;
    this.at += 1;
    return true;
  }

  #take(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.#text);
    this.at += found?.[0].length ?? 0;
    return found !== null;
  }
}
