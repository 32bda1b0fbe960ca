import { z } from 'zod';

/** What a field is: how its text is put into JSON, and what counts as the same value when it is read back. */
export const valueTypes = ['text', 'any_case', 'number', 'boolean', 'date', 'timestamp'] as const;
export type ValueType = (typeof valueTypes)[number];

const number = /^[+-]?\d+(?:\.\d+)?$/;
const timestamp = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/;

interface Form {
  accepts(text: string): boolean;
  message: string;
  /** A text of this form, for examples. */
  example: string;
  toJson(text: string): unknown;
}

const asIs = { accepts: () => true, message: '', example: '{{ value }}', toJson: (text: string) => text };

const forms: Readonly<Record<ValueType, Form>> = {
  text: asIs,
  any_case: asIs,
  number: {
    // Beyond 15 digits a JSON number is rounded by most who read it.
    accepts: (text) => number.test(text) && text.replace(/\D/g, '').length <= 15,
    message: 'must be a number of at most 15 digits',
    example: '1',
    toJson: Number,
  },
  boolean: {
    accepts: (text) => text === 'true' || text === 'false',
    message: 'must be true or false',
    example: 'true',
    toJson: (text) => text === 'true',
  },
  date: {
    accepts: (text) => /^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(Date.parse(text.slice(0, 10))),
    message: 'must begin with a date such as 2026-01-31',
    example: '2026-01-31',
    toJson: (text) => text.slice(0, 10),
  },
  timestamp: {
    accepts: (text) => timestamp.test(text) && instant(text) !== undefined,
    message: 'must be a timestamp such as 2026-01-31T09:30:00Z',
    example: '2026-01-31T09:30:00Z',
    toJson: (text) => text,
  },
};

export function exampleOf(type: ValueType): string {
  return forms[type].example;
}

/** Checks the rendered text of a field. An optional one may be empty, whatever its type. */
export function valueSchema(
  type: ValueType,
  needed: { required: boolean; filled: boolean },
): z.ZodType<string> {
  const { accepts, message } = forms[type];
  return z.string().superRefine((text, context) => {
    const value = text.trim();
    if (value === '' && needed.filled) context.addIssue({ code: 'custom', message: 'must not be empty' });
    else if (!(value === '' && !needed.required) && !accepts(value))
      context.addIssue({ code: 'custom', message });
  });
}

/** The JSON value of a field's text. Nothing, where nothing is text, is null. */
export function toJson(type: ValueType, text: string): unknown {
  if (type === 'text' || type === 'any_case') return text;
  const value = text.trim();
  return value === '' ? null : forms[type].toJson(value);
}

/** The comparable form of a value, sent or read: equal text means equal value. */
export function canonicalValue(type: ValueType, value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = (typeof value === 'object' ? JSON.stringify(value) : String(value))
    .replace(/\r\n?/g, '\n')
    .trim();
  switch (type) {
    case 'text':
      return text;
    case 'any_case':
    case 'boolean':
      return text.toLowerCase();
    case 'number':
      return decimal(text);
    case 'date':
      return /^\d{4}-\d{2}-\d{2}(?!\d)/.test(text) ? text.slice(0, 10) : text;
    case 'timestamp':
      return instant(text) ?? text;
  }
}

/** `+07.50` as `7.5`. What is no plain number stays as it is. */
function decimal(text: string): string {
  if (text.length > 100) return text;
  const plain = /[eE]/.test(text) && Number.isFinite(Number(text)) ? String(Number(text)) : text;
  const [, sign, whole = '', fraction = ''] = /^([+-]?)(\d*)\.?(\d*)$/.exec(plain) ?? [];
  if (sign === undefined || whole + fraction === '') return text;
  const digits = [whole.replace(/^0+/, '') || '0', fraction.replace(/0+$/, '')].filter(Boolean).join('.');
  return sign === '-' && digits !== '0' ? `-${digits}` : digits;
}

/** The instant in UTC; a timestamp that names no zone is taken as UTC. */
function instant(text: string): string | undefined {
  if (!timestamp.test(text)) return undefined;
  const zoned = /(?:Z|[+-]\d{2}:?\d{2})$/i.test(text) ? text : `${text}Z`;
  const time = Date.parse(zoned.replace(' ', 'T'));
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}
