import { createHash } from 'node:crypto';
import type { Column, Value } from '../warehouses/warehouse.ts';

/** What decides how a value is masked. */
export interface Masking {
  /** Texts that the project's own files hold: they are no secret, and conditions depend on them. */
  kept: ReadonlySet<string>;
  /** The parts of the entity's key, wherever they stand: joins must still meet. */
  keys: ReadonlySet<string>;
}

/**
 * A made-up value of the same type and shape, always the same for the same value. It hides a value from who reads it, not
 * from who guesses it and checks. Numbers keep two digits, times their hour, dates their month, so that most conditions
 * still hold. Null for what has a form that is not known here.
 */
export function mask(value: Value, column: Pick<Column, 'type' | 'nativeType'>, masking: Masking): Value {
  if (value === null || masking.kept.has(value)) return value;
  const isKey = masking.keys.has(value);
  switch (column.type) {
    case 'boolean':
      return value;
    case 'integer':
    case 'decimal':
    case 'float':
      return isKey ? shaped(value) : number(value);
    case 'timestamp':
      return value.replace(/(?<=T\d\d:)\d\d(:\d\d)?(\.\d+)?/, (time) => clock(time, value));
    case 'date':
      return value.replace(/\d\d$/, () => String(1 + (streamOf(value)(0) % 28)).padStart(2, '0'));
    case 'json':
      return json(value, masking);
    case 'text':
      return text(value);
    default:
      if (/^uuid$/i.test(column.nativeType)) return hexadecimal(value);
      return isKey ? shaped(value) : null;
  }
}

/** An address that no mail reaches; any other text letter by letter. */
function text(value: string): string {
  const [, local] = /^([^@\s]+)@[^@\s]+\.[^@\s]+$/.exec(value) ?? [];
  return local === undefined ? shaped(value) : `${shaped(local)}@example.com`;
}

/** Letters become letters, digits digits; a first digit stays no zero. */
function shaped(value: string): string {
  for (let round = 0; ; round += 1) {
    const stream = streamOf(value, round);
    const masked = [...value]
      .map((character, at) => {
        const byte = stream(at);
        if (/\p{Lu}/u.test(character)) return String.fromCharCode(65 + (byte % 26));
        if (/\p{L}/u.test(character)) return String.fromCharCode(97 + (byte % 26));
        if (!/\p{Nd}/u.test(character)) return character;
        return String(at === 0 && character !== '0' ? 1 + (byte % 9) : byte % 10);
      })
      .join('');
    if (masked !== value || !/[\p{L}\p{Nd}]/u.test(value)) return masked;
  }
}

function hexadecimal(value: string): string {
  const stream = streamOf(value);
  let at = 0;
  return value.replaceAll(/[0-9a-f]/gi, () => {
    at += 1;
    return (stream(at) % 16).toString(16);
  });
}

/** All digits but the first two that count. */
function number(value: string): string {
  const stream = streamOf(value);
  const [digits = '', exponent = ''] = value.split(/(?=e)/i);
  let counted = 0;
  const masked = [...digits].map((character, at) => {
    if (!/\d/.test(character) || (counted === 0 && character === '0')) return character;
    counted += 1;
    return counted > 2 ? String(stream(at) % 10) : character;
  });
  return masked.join('') + exponent;
}

/** Minutes and seconds with as many digits as before. */
function clock(time: string, value: string): string {
  const stream = streamOf(value);
  const places = ['012345', '0123456789', ':', '012345', '0123456789'];
  return [...time]
    .map((character, at) => {
      if (!/\d/.test(character)) return character;
      const digits = places[at] ?? '0123456789';
      return digits.charAt(stream(at) % digits.length);
    })
    .join('');
}

function json(value: string, masking: Masking): Value {
  const masked = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(masked);
    if (typeof part === 'string') return masking.kept.has(part) ? part : text(part);
    if (typeof part === 'number') return Number(number(String(part)));
    if (typeof part !== 'object' || part === null) return part;
    return Object.fromEntries(Object.entries(part).map(([key, item]) => [key, masked(item)]));
  };
  try {
    return JSON.stringify(masked(JSON.parse(value)));
  } catch {
    return null;
  }
}

/** As many bytes as are asked for, by position. */
function streamOf(value: string, round = 0): (at: number) => number {
  const blocks = new Map<number, Buffer>();
  return (at) => {
    const number = Math.floor(at / 32);
    const block = blocks.get(number) ?? createHash('sha256').update(`${round}:${number}:${value}`).digest();
    blocks.set(number, block);
    return block[at % 32] ?? 0;
  };
}
