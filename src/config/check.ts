import type { z } from 'zod';
import { type ErrorCode, type Place, ReadbackError } from '../errors.ts';
import type { Located, Path } from './located.ts';
import { describeSchema, isSecret, keysAt, schemaAt } from './shape.ts';
import { suggest } from './suggest.ts';

/** Where the parts of a checked value are written. */
export interface Origin {
  place(path: Path): Place;
  keyPlace(path: Path): Place;
  /** What the user wrote there, for the message; undefined to keep it to ourselves. */
  shown(path: Path): string | undefined;
}

/** The origin of a value that stands at `base` in a document. */
export function originIn(located: Located, base: Path = []): Origin {
  return {
    place: (path) => located.placeOf([...base, ...path]),
    keyPlace: (path) => located.placeOfKey([...base, ...path]),
    shown: (path) => show(valueAt(located.value, [...base, ...path])),
  };
}

/** Of one value: nobody reads more, and each costs a search for its place and for a suggestion. */
const mostIssues = 20;

/**
 * Checks a value against a schema; every issue becomes a problem with its place.
 *
 * @param ignore values, by their path, about which nothing can be said yet; their keys are checked all the same
 */
export function check<T extends z.ZodType>(
  schema: T,
  value: unknown,
  origin: Origin,
  problems: ReadbackError[],
  ignore: (path: Path) => boolean = () => false,
): z.output<T> | undefined {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  // A mistyped key explains the one that is missing, so it comes first.
  const issues = result.error.issues.toSorted((a, b) => rank(a) - rank(b)).slice(0, mostIssues);
  for (const issue of issues)
    if (issue.code === 'invalid_key' || !ignore(issue.path))
      problems.push(...problemsOf(issue, schema, value, origin));
  return undefined;
}

function rank(issue: z.core.$ZodIssue): number {
  return issue.code === 'unrecognized_keys' || issue.code === 'invalid_key' ? 0 : 1;
}

function problemsOf(
  issue: z.core.$ZodIssue,
  schema: z.ZodType,
  root: unknown,
  origin: Origin,
): ReadbackError[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, path);
    return issue.keys.slice(0, mostIssues).map(
      (key) =>
        new ReadbackError('CONFIG_KEY', `unknown key \`${key}\``, {
          place: origin.keyPlace([...path, key]),
          hint: suggest(key, known),
        }),
    );
  }
  if (issue.code === 'invalid_key') {
    const message = `\`${path.map(String).join('.')}\` is not a key: ${issue.issues[0]?.message}`;
    return [problem('CONFIG_KEY', message, origin.keyPlace(path), undefined)];
  }
  const name = path.length > 0 ? `\`${path.map(String).join('.')}\`` : 'the file';
  const wanted = schemaAt(schema, path);
  const value = valueAt(root, path);
  if (value === undefined && path.length > 0)
    return [
      problem('CONFIG_KEY', `${name} is missing`, origin.place(path.slice(0, -1)), missingHint(wanted)),
    ];
  if (isSecret(wanted))
    return [problem('SECRET_REFERENCE', `${name}: ${issue.message}`, origin.place(path), undefined)];
  if (value === null)
    return [problem('CONFIG_VALUE', `${name} is empty`, origin.place(path), describeSchema(wanted))];
  const { message, hint } = wording(issue, value);
  return [problem('CONFIG_VALUE', `${name}: ${message}`, origin.place(path), hint, origin.shown(path))];
}

function missingHint(wanted: z.ZodType | undefined): string | undefined {
  return isSecret(wanted) ? 'write env:NAME or file:PATH' : describeSchema(wanted);
}

function problem(
  code: ErrorCode,
  message: string,
  place: Place,
  hint: string | undefined,
  value?: string | undefined,
): ReadbackError {
  return new ReadbackError(code, message, { place, hint, value });
}

const kinds: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of keys and values',
  record: 'a map of keys and values',
};

/** The rule in words, and what to write instead. */
function wording(issue: z.core.$ZodIssue, value: unknown): { message: string; hint: string | undefined } {
  const given = (issue as { params?: { hint?: string } }).params?.hint;
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String);
    return { message: `must be ${listOf(values)}`, hint: given ?? suggest(String(value), values) };
  }
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input')) {
    const quote = issue.expected === 'string' && ['number', 'boolean'].includes(typeof value);
    const hint = quote ? `put it in quotes: "${value}"` : undefined;
    return { message: `must be ${kinds[issue.expected] ?? issue.expected}`, hint };
  }
  if (issue.code === 'too_small' && issue.message.startsWith('Too small'))
    return {
      message:
        issue.minimum === 1 && issue.origin !== 'number'
          ? 'must not be empty'
          : `must be at least ${issue.minimum}`,
      hint: given,
    };
  if (issue.code === 'too_big' && issue.message.startsWith('Too big'))
    return { message: `must be at most ${issue.maximum}`, hint: given };
  return { message: issue.message, hint: given };
}

function listOf(values: string[]): string {
  return values.length < 2 ? values.join('') : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

/** A value as one short line. */
export function show(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
