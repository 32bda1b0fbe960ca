import type { Condition, Scope } from '../templates/index.ts';

export type Route = { wanted: true } | { wanted: false; reason: string };

/**
 * Whether a destination wants a message, judged on the enriched row. The reason names the rule, not the row's values:
 * it is kept in the ledger.
 *
 * @throws ReadbackError TEMPLATE when the condition uses a variable that the row does not have
 */
export function route(condition: Condition | undefined, text: string | undefined, scope: Scope): Route {
  if (!condition || condition.test(scope)) return { wanted: true };
  return { wanted: false, reason: `when: ${text} does not hold` };
}
