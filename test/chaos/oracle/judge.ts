import type { Desk, DeskKind, Expected } from '../workload/workload.ts';
import { isOpen, type Ledger, type LedgerAction } from './ledger.ts';
import type { Effect, Truth, Write } from './truth.ts';

/** All that the oracle looks at, arranged by entity. */
export type Case = {
  expected: ReadonlyMap<string, Expected>;
  kinds: ReadonlyMap<string, DeskKind>;
  /** later steps of plays, by the desk of the first one, in their order */
  plays: ReadonlyMap<string, readonly Step[]>;
  limits: ReadonlyMap<string, { requests: number; perMs: number }>;
  ledger: Ledger;
  truth: Truth;
  /** in order of time */
  effectsOf: ReadonlyMap<string, Effect[]>;
  /** at its own desk, in order of sequence */
  actionsOf: ReadonlyMap<string, LedgerAction[]>;
  writesOf: ReadonlyMap<string, Write[]>;
};

/** A later step of a play: its desk, and the one before it. */
export type Step = { name: string; after: string; compensates: boolean };

type JudgedDesk = Pick<Desk, 'name' | 'kind'> & {
  limit?: { requests: number; perMs: number };
  step?: { of: string; after: string; compensates?: boolean };
};

/** One wrong that was found: where, and what was seen. */
export type Finding = { entity: string; desk: string; seen: string };

export function makeCase(
  expected: ReadonlyMap<string, Expected>,
  desks: readonly JudgedDesk[],
  ledger: Ledger,
  truth: Truth,
): Case {
  // What a play does elsewhere is judged by play.ts.
  const isOwn = ({ entity, destination }: LedgerAction) =>
    !desks.some(({ name, step }) => step && (destination === name || destination === `${name}.undo`)) &&
    destination !== `${expected.get(entity)?.desk}.undo`;
  const actionsOf = grouped(ledger.actions.filter(isOwn), (action) => [action.entity]);
  for (const actions of actionsOf.values()) actions.sort((a, b) => a.sequence - b.sequence);
  return {
    expected,
    kinds: new Map(desks.map((desk) => [desk.name, desk.kind])),
    plays: playsOf(desks),
    limits: new Map(desks.flatMap((desk) => (desk.limit ? [[desk.name, desk.limit] as const] : []))),
    ledger,
    truth,
    effectsOf: grouped(truth.effects, (effect) => [effect.entity]),
    actionsOf,
    writesOf: grouped(truth.writes, (write) => write.entities),
  };
}

function playsOf(desks: readonly JudgedDesk[]): Map<string, Step[]> {
  const plays = new Map<string, Step[]>();
  for (const { name, step } of desks) {
    if (!step) continue;
    const steps = plays.get(step.of) ?? [];
    steps.push({ name, after: step.after, compensates: step.compensates === true });
    plays.set(step.of, steps);
  }
  return plays;
}

/** Expected, but neither at the desk nor honestly open or failed in the ledger. */
export function lost(it: Case): Finding[] {
  return everyExpected(it, (entity, expected) => {
    if (isRight(it, entity, expected)) return undefined;
    const last = it.actionsOf.get(entity)?.at(-1);
    if (last && (isOpen(last) || honestEnds.has(last.state))) return undefined;
    return `not at the desk; the ledger says ${last?.state ?? 'nothing'}`;
  });
}

/** Detected, but missing from the ledger's list or from the report's sum. */
export function dropped(it: Case): Finding[] {
  const listed = new Map<string, number>();
  for (const action of it.ledger.actions) {
    const pair = `${action.signal} ${action.destination}`;
    listed.set(pair, (listed.get(pair) ?? 0) + 1);
  }
  return it.ledger.pairs.flatMap(({ signal, destination, detected, unaccounted }) => {
    const missing = Math.max(
      Math.abs(unaccounted),
      Math.abs(detected - (listed.get(`${signal} ${destination}`) ?? 0)),
    );
    const seen = `detected ${detected}, unaccounted ${unaccounted}`;
    return Array.from({ length: missing }, () => ({ entity: signal, desk: destination, seen }));
  });
}

/** More effects than one for one action. Of an upsert that is a second record, not a second write of the same one. */
export function duplicates(it: Case): Finding[] {
  return everyExpected(it, (entity, { desk }) => {
    const records = new Set(effectsAt(it, entity, desk).map((effect) => effect.record));
    return records.size > 1 ? `records ${[...records].join(', ')}` : undefined;
  }).filter(({ desk }) => it.kinds.get(desk) !== 'plain');
}

/**
 * At a desk that knows neither keys nor uniqueness: a second create after one whose outcome was in doubt. A refusal is no
 * doubt, nor is an answer of success that turned out to be nothing (absence was proven).
 */
export function automaticResends(it: Case): Finding[] {
  return everyExpected(it, (entity, { desk }) => {
    if (it.kinds.get(desk) !== 'plain') return undefined;
    const writes = (it.writesOf.get(entity) ?? []).filter((write) => write.desk === desk);
    const applied = new Set(effectsAt(it, entity, desk).map((effect) => effect.request));
    const doubtful = writes.find((write) => applied.has(write.request) || inDoubt(write));
    const again = doubtful && writes.filter((write) => write.at > doubtful.at);
    return again && again.length > 0
      ? `request ${again[0]?.request} after ${doubtful.request} (${doubtful.status}, ${doubtful.fault})`
      : undefined;
  });
}

/** At the desk, but nobody asked for it. */
export function phantom(it: Case): Finding[] {
  return it.truth.effects.flatMap(({ entity, desk, version, token }) => {
    const expected = it.expected.get(entity);
    const here =
      expected?.desk === desk || it.plays.get(expected?.desk ?? '')?.some(({ name }) => name === desk);
    if (here && expected?.tokens[version - 1] === token) return [];
    return [{ entity, desk, seen: `v${version} ${token}` }];
  });
}

/** The ledger says verified, and the desk does not hold it. */
export function falseSuccess(it: Case): Finding[] {
  return everyExpected(it, (entity, expected) => {
    const actions = it.actionsOf.get(entity) ?? [];
    const last = actions.at(-1);
    if (last?.state === 'verified' && !isRight(it, entity, expected)) {
      return `verified, but the desk holds ${describe(effectsAt(it, entity, expected.desk).at(-1))}`;
    }
    const effects = effectsAt(it, entity, expected.desk);
    for (const action of actions.filter(({ state }) => state === 'verified')) {
      // A second for the clocks of two processes and the ledger's rounding to milliseconds.
      const settled = Date.parse(action.settled_at ?? '') + 1_000;
      if (!effects.some((effect) => effect.at <= settled))
        return `sequence ${action.sequence} was verified before anything was there`;
    }
    return undefined;
  });
}

/** The ledger says failed, and the desk holds it, without having refused it last. */
export function falseFailure(it: Case): Finding[] {
  return everyExpected(it, (entity, expected) => {
    const last = it.actionsOf.get(entity)?.at(-1);
    if (!last || !failedEnds.has(last.state) || !isRight(it, entity, expected)) return undefined;
    const lastWrite = it.writesOf.get(entity)?.findLast((write) => write.desk === expected.desk);
    if (lastWrite?.refused.some((mark) => mark.entity === entity)) return undefined;
    return `${last.state} (${last.reason}), but it is there`;
  });
}

/** An older version came after a newer one. */
export function orderViolations(it: Case): Finding[] {
  return everyExpected(it, (entity, { desk }) => {
    const effects = effectsAt(it, entity, desk);
    const at = effects.findIndex(
      (effect, index) => index > 0 && effect.version < (effects[index - 1] as Effect).version,
    );
    return at === -1 ? undefined : `${describe(effects[at])} after ${describe(effects[at - 1])}`;
  });
}

/** Steps of a second at which the window that ends there holds more requests than the limit. */
export function rateBreachSeconds(it: Case): Finding[] {
  const findings: Finding[] = [];
  for (const [desk, limit] of it.limits) {
    const times = it.truth.requests.get(desk) ?? [];
    const [first, last] = [times[0], times.at(-1)];
    if (first === undefined || last === undefined) continue;
    let from = 0;
    let to = 0;
    for (let end = first + 1_000; end < last + 1_000; end += 1_000) {
      while (to < times.length && (times[to] as number) < end) to += 1;
      while ((times[from] as number) < end - limit.perMs) from += 1;
      if (to - from <= limit.requests) continue;
      findings.push({ entity: '', desk, seen: `${to - from} requests in ${limit.perMs} ms` });
    }
  }
  return findings;
}

/** Writes (an entity in a batch counts as one) for each action that was ever sent. */
export function callsPerAction(it: Case): number | null {
  const sent = it.ledger.actions.filter((action) => action.sent_at !== null).length;
  const writes = it.truth.writes.reduce((sum, write) => sum + Math.max(1, write.entities.length), 0);
  return sent === 0 ? null : Math.round((1000 * writes) / sent) / 1000;
}

/** Every judge, by the figure that it counts. */
export const judges = {
  lost,
  dropped,
  duplicates,
  phantom,
  falseSuccess,
  falseFailure,
  orderViolations,
  rateBreachSeconds,
  automaticResends,
} as const;

/** Ends that say openly that the effect may be missing. */
const honestEnds = new Set(['rejected', 'dead', 'expired', 'escalated', 'differs', 'held']);
const failedEnds = new Set(['rejected', 'dead', 'expired', 'differs']);

function everyExpected(
  it: Case,
  judge: (entity: string, expected: Expected) => string | undefined,
): Finding[] {
  const findings: Finding[] = [];
  for (const [entity, expected] of it.expected) {
    const seen = judge(entity, expected);
    if (seen !== undefined) findings.push({ entity, desk: expected.desk, seen });
  }
  return findings;
}

/** Whether the desk holds what the warehouse says: for an upsert the value it has in the end. */
function isRight(it: Case, entity: string, { desk, version, tokens }: Expected): boolean {
  const effects = effectsAt(it, entity, desk);
  const right = (effect: Effect | undefined) =>
    effect?.version === version && effect.token === tokens[version - 1];
  return it.kinds.get(desk) === 'upsert' ? right(effects.at(-1)) : effects.some(right);
}

function effectsAt(it: Case, entity: string, desk: string): Effect[] {
  return (it.effectsOf.get(entity) ?? []).filter((effect) => effect.desk === desk);
}

/** The caller cannot know what became of it: no answer at all, or a failure of the desk that says nothing. */
function inDoubt({ status }: Write): boolean {
  return status === null || (status >= 500 && status !== 503) || status === 408;
}

function describe(effect: Effect | undefined): string {
  return effect ? `v${effect.version} ${effect.token} (request ${effect.request})` : 'nothing';
}

/** By each key that an item has. */
export function grouped<Item>(
  items: readonly Item[],
  keysOf: (item: Item) => readonly string[],
): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    for (const key of keysOf(item)) {
      const group = groups.get(key);
      if (group) group.push(item);
      else groups.set(key, [item]);
    }
  }
  return groups;
}
