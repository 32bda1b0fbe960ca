/** A decimal number as an integer and a power of ten: `units × 10^-scale`. */
interface Decimal {
  units: bigint;
  scale: number;
}

const decimalPattern = /^([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/;

/** Whether the text is a decimal number, with or without an exponent. */
export function isDecimal(text: string): boolean {
  return decimalPattern.test(text);
}

function parseDecimal(text: string): Decimal | undefined {
  const match = decimalPattern.exec(text);
  if (!match) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const units = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n);
  return { units, scale: fraction.length - Number(exponent) };
}

/** Compares two decimal texts digit for digit: negative, zero or positive; undefined when one is not a number. */
export function compareDecimals(left: string, right: string): number | undefined {
  const [a, b] = [parseDecimal(left), parseDecimal(right)];
  if (!a || !b) return undefined;
  const scale = Math.max(a.scale, b.scale);
  const difference = a.units * 10n ** BigInt(scale - a.scale) - b.units * 10n ** BigInt(scale - b.scale);
  return difference === 0n ? 0 : difference < 0n ? -1 : 1;
}

/**
 * A number that a JavaScript number would print or hold differently: `12.50`, or an id of twenty digits. It prints its
 * exact text and compares exactly (Liquid recognises the five methods). It is deliberately no Liquid `Drop`: a drop's
 * prototype can be reached from a template, a plain object's cannot.
 */
export class ExactNumber {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  equals(other: unknown): boolean {
    return this.#compare(other) === 0;
  }

  gt(other: unknown): boolean {
    return (this.#compare(other) ?? 0) > 0;
  }

  lt(other: unknown): boolean {
    return (this.#compare(other) ?? 0) < 0;
  }

  geq(other: unknown): boolean {
    return (this.#compare(other) ?? -1) >= 0;
  }

  leq(other: unknown): boolean {
    return (this.#compare(other) ?? 1) <= 0;
  }

  toString(): string {
    return this.#text;
  }

  /** For arithmetic. Throws rather than rounding in silence. */
  valueOf(): number {
    const value = Number(this.#text);
    if (compareDecimals(String(value), this.#text) !== 0)
      throw new RangeError('the number has too many digits for arithmetic; compute it in the SQL');
    return value;
  }

  /** A JSON number when that is exact, else text. */
  toJSON(): number | string {
    const value = Number(this.#text);
    return compareDecimals(String(value), this.#text) === 0 ? value : this.#text;
  }

  #compare(other: unknown): number | undefined {
    const text = numberText(other);
    return text === undefined ? undefined : compareDecimals(this.#text, text);
  }
}

/** The exact text of a numeric value; undefined for anything else. */
export function numberText(value: unknown): string | undefined {
  return typeof value === 'number' || value instanceof ExactNumber ? String(value) : undefined;
}
