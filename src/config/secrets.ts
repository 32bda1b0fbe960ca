import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ReadbackError } from '../errors.ts';
import type { Origin } from './check.ts';
import type { Path } from './located.ts';
import { referencePattern } from './references.ts';
import { Secret } from './secret.ts';
import { closest } from './suggest.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where references point. */
export interface Sources {
  root: string;
  env: Environment;
}

/** Settings with every reference replaced by its secret, and the paths of those that could not be. */
export interface Resolved {
  settings: unknown;
  unresolved: Path[];
}

/** Replaces every `env:NAME` and `file:PATH` in the settings by a `Secret`. */
export async function resolveReferences(
  settings: unknown,
  sources: Sources,
  origin: Origin,
  problems: ReadbackError[],
): Promise<Resolved> {
  const unresolved: Path[] = [];
  const visit = async (value: unknown, path: Path): Promise<unknown> => {
    if (value instanceof Secret) return value;
    if (Array.isArray(value)) return Promise.all(value.map((item, index) => visit(item, [...path, index])));
    if (typeof value === 'object' && value !== null) {
      const entries = Object.entries(value).map(async ([key, item]) => [
        key,
        await visit(item, [...path, key]),
      ]);
      return Object.fromEntries(await Promise.all(entries));
    }
    if (typeof value !== 'string' || !/^(?:env|file):/.test(value)) return value;
    const found = await resolveReference(value, sources);
    if (found instanceof Secret) return found;
    unresolved.push(path);
    const place = origin.place(path);
    problems.push(new ReadbackError('SECRET_REFERENCE', found.message, { place, value, hint: found.hint }));
    return value;
  };
  return { settings: await visit(settings, []), unresolved };
}

interface Unresolved {
  message: string;
  hint: string;
}

async function resolveReference(reference: string, sources: Sources): Promise<Secret | Unresolved> {
  if (!referencePattern.test(reference))
    return { message: 'not a reference', hint: 'write env:NAME, with letters, digits and _, or file:PATH' };
  const [, kind, target = ''] = /^(env|file):(.+)$/s.exec(reference) ?? [];
  return kind === 'env' ? fromEnvironment(target, sources.env) : fromFile(target, sources.root);
}

function fromEnvironment(variable: string, env: Environment): Secret | Unresolved {
  const value = env[variable];
  if (value) return new Secret(value);
  if (value === '')
    return { message: `the environment variable ${variable} is empty`, hint: 'give it a value' };
  // Short of a slip of the finger, a similar name is another account's secret.
  const guess = closest(variable, Object.keys(env), 1);
  const hint = guess ? `did you mean env:${guess}?` : `set it: export ${variable}=…`;
  return { message: `the environment variable ${variable} is not set`, hint };
}

async function fromFile(path: string, root: string): Promise<Secret | Unresolved> {
  try {
    const text = (await readFile(resolve(root, path), 'utf8')).trim();
    return text ? new Secret(text) : { message: 'the secret file is empty', hint: 'put the secret in it' };
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown';
    return {
      message: `the secret file cannot be read (${reason})`,
      hint: 'paths are relative to the folder of readback.yml',
    };
  }
}
