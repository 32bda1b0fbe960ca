import type { Action } from '../../src/ledger/action.ts';

/** An action as a lane worker would see it, with the given facts. */
export function anAction(facts: Partial<Action> = {}): Action {
  return {
    key: '00000000-0000-0000-0000-000000000001',
    message: '00000000-0000-0000-0000-000000000002',
    poll: '1',
    signal: 'churn_risk',
    entity: 'C-1',
    sequence: 1,
    transition: 'entered',
    state: 'planned',
    attempts: 0,
    corrections: 0,
    absences: 0,
    unread: 0,
    generation: 0,
    external_id: null,
    locator: null,
    sent: null,
    observed_at: null,
    detected_at: new Date('2026-01-31T09:30:00Z'),
    expired: false,
    reason: null,
    waited_ms: null,
    correlation: '00000000-0000-0000-0000-000000000003',
    ...facts,
  };
}
