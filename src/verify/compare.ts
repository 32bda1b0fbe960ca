import { digest } from '../ledger/digest.ts';

/**
 * Which fields do not hold what was sent.
 *
 * @param sent digest of each field's canonical value, as committed before the write
 * @param found what the destination holds, by field name
 * @param fields the fields that matter
 */
export function differingFields(
  sent: Readonly<Record<string, string>>,
  found: Readonly<Record<string, unknown>>,
  fields: readonly string[],
  canonical: (field: string, value: unknown) => string,
): string[] {
  return fields.filter((field) => sent[field] !== digest(canonical(field, found[field])));
}
