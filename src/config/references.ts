import { z } from 'zod';
import { Secret } from './secret.ts';

/** `env:NAME` or `file:PATH`, the only ways a secret may enter a project file. */
export const referencePattern = /^(?:env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/;

/**
 * A setting that must be a secret. The loader has turned every `env:`/`file:` reference into a `Secret` before the
 * schema sees it, so anything else here is a secret written in the open, and is refused.
 */
export function secret(): z.ZodType<Secret> {
  return z
    .custom<Secret>((value) => value instanceof Secret, {
      error: 'a secret must be a reference: write env:NAME or file:PATH, never the secret itself',
    })
    .meta({ type: 'string', pattern: referencePattern.source, secret: true });
}

/** A plain setting, which may also be given as a reference (a base URL from the environment). */
export function setting<T extends z.ZodType>(inner: T): z.ZodPipe<z.ZodTransform<unknown, unknown>, T> {
  return z.preprocess((value) => (value instanceof Secret ? value.reveal() : value), inner) as never;
}
