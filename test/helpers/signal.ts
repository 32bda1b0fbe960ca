import type { Destination, Signal } from '../../src/config/model.ts';

/** A signal with sensible facts, for tests below the project files. */
export function aSignal(facts: Partial<Signal>): Signal {
  return {
    name: 'signal',
    file: 'signals/signal.sql',
    description: '',
    owner: undefined,
    warehouse: 'analytics',
    schedule: undefined,
    trigger: undefined,
    key: ['id'],
    when: undefined,
    rearm: undefined,
    on: ['entered', 'left'],
    track: undefined,
    observedAt: undefined,
    severity: 'medium',
    tags: [],
    slaMs: undefined,
    cooldownMs: undefined,
    ttlMs: undefined,
    retentionMs: 90 * 86_400_000,
    guard: { maxNew: undefined, maxNewRatio: undefined, maxAgeMs: undefined, allowEmpty: false },
    backfill: 'none',
    diff: 'digest',
    timeoutMs: 30_000,
    sql: 'select 1 as id',
    sqlLine: 1,
    places: new Map(),
    version: 'v1',
    shape: 's1',
    ...facts,
  };
}

/** A destination with sensible facts, for tests below the project files. */
export function aDestination(facts: Partial<Destination>): Destination {
  return {
    name: 'destination',
    file: 'destinations/destination.yaml',
    description: '',
    owner: undefined,
    tags: [],
    connection: 'crm',
    connector: 'hubspot',
    action: 'upsert_contact',
    options: {},
    signals: [],
    on: ['entered'],
    when: undefined,
    enrich: [],
    fields: {},
    leftFields: undefined,
    follows: undefined,
    after: [],
    onFailure: 'stop',
    undoes: undefined,
    verify: { fields: undefined, withinMs: 120_000, lagMs: undefined },
    ttlMs: 86_400_000,
    lanes: 1,
    maxAttempts: 8,
    places: new Map(),
    ...facts,
  };
}
