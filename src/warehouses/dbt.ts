import { z } from 'zod';
import { Secret } from '../config/secret.ts';

/** A setting of a dbt output that would change who reads, or what is read: a profile with it is not taken. */
export function refused(what: string): z.ZodType<unknown> {
  return z
    .custom((value) => value === undefined || value === null || value === '' || isEmptyList(value), {
      error: `${what} is not supported; write the connection in readback.yml instead`,
    })
    .optional();
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** Text of a dbt output, where YAML may have read a number. */
export function profileText() {
  return z.coerce.string().min(1).exactOptional();
}

/** A secret that stands in the profile itself. */
export function secretOf(text: string | undefined): Secret | undefined {
  return text === undefined ? undefined : new Secret(text);
}

/** Settings without those that the profile does not have. */
export function present(settings: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}
