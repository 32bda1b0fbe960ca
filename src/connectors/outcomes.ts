import type { Outcome } from './connector.ts';

export type Rejected = Extract<Outcome, { kind: 'rejected' }>;

/** A definite no that stays one: the same would be refused again. */
export function rejected(code: string, reason: string): Rejected {
  return { kind: 'rejected', code, reason, permanent: true };
}
