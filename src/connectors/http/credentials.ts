import { Secret } from '../../config/secret.ts';

/** Headers that carry credentials, by what they are mostly called. */
export function isCredential(name: string): boolean {
  return (
    !/^(x-)?idempotency-key$/i.test(name) &&
    /authorization|cookie|token|secret|password|api-?key|^x-.*key$/i.test(name)
  );
}

/** Fit for a header: one line of plain characters. */
export function isPrintable(value: string | Secret): boolean {
  return /^[ -~]*$/.test(value instanceof Secret ? value.reveal() : value);
}
