import type { Expected } from '../workload/workload.ts';
import { type Case, type Finding, grouped, type Step } from './judge.ts';
import type { LedgerAction } from './ledger.ts';
import type { Effect } from './truth.ts';

/** A second for the clocks of two processes and the ledger's rounding to milliseconds. */
const roundingMs = 1_000;

/** One entity's play: of each desk, in the order of the steps, what the ledger says and what really happened there. */
type Play = {
  entity: string;
  steps: readonly Taken[];
  /** the compensating step ended without its effect */
  calledOff: boolean;
};

type Taken = {
  desk: string;
  after: Taken | undefined;
  action: LedgerAction | undefined;
  undo: LedgerAction | undefined;
  effects: Effect[];
  undos: Effect[];
};

/** A step that should have been taken, or taken back, and was not, without the ledger saying so. */
export function stepsLost(it: Case): Finding[] {
  return everyStep(it, ({ calledOff }, { action, effects, undo, undos, after }) => {
    if (!action) return 'the ledger has no action of it';
    if (!honest.has(action.state) && action.state !== 'verified') {
      const stopped = calledOff || !after || after.action?.state !== 'verified';
      if (!stopped || action.state !== 'suppressed') return `${action.state} (${action.reason})`;
    }
    if (!calledOff || !before(it, action) || effects.length === 0 || undos.length > 0) return undefined;
    return honest.has(undo?.state ?? '')
      ? undefined
      : `called off, but its undoing is ${undo?.state ?? 'not there'}`;
  });
}

/** More than one record of a step; at a desk that keeps a list of changes, more than one that takes it back. */
export function stepsDoubled(it: Case): Finding[] {
  return everyStep(it, (_play, { desk, effects, undos }) => {
    const records = new Set(effects.map(({ record }) => record));
    if (records.size > 1) return `records ${[...records].join(', ')}`;
    return it.kinds.get(desk) === 'keyed' && undos.length > 1
      ? `taken back ${undos.length} times`
      : undefined;
  });
}

/** A step taken before the one that it comes after was verified, or taken back before what came after it was. */
export function stepsOutOfOrder(it: Case): Finding[] {
  return everyStep(it, (play, { desk, after, effects, undos }) => {
    const [first] = effects;
    const verified = Date.parse(after?.action?.settled_at ?? '');
    if (first && after) {
      if (after.action?.state !== 'verified') return `taken, but ${after.desk} is ${after.action?.state}`;
      if (first.at + roundingMs < verified)
        return `taken ${verified - first.at} ms before ${after.desk} was verified`;
      if (!(after.effects[0] && after.effects[0].at <= first.at))
        return `taken before ${after.desk} was there`;
      const gone = after.undos[0];
      if (gone && gone.at < first.at) return `taken after ${after.desk} was taken back`;
    }
    const [undo] = undos;
    if (!undo) return undefined;
    if (!first || undo.at < first.at) return 'taken back before it was there';
    const later = play.steps.find((step) => step.after?.desk === desk && step.effects.length > 0);
    const theirs = later?.undos[0];
    return later && !(theirs && theirs.at <= undo.at) ? `taken back before ${later.desk} was` : undefined;
  });
}

/** Taken back although nothing failed, or a step that names another record than the one before it made. */
export function stepsUncalledFor(it: Case): Finding[] {
  return everyStep(it, ({ calledOff }, { after, effects, undos }) => {
    if (undos.length > 0 && !calledOff) return 'taken back, but nothing failed';
    const wrong = effects.find(({ refers }) => (refers ?? undefined) !== after?.effects[0]?.record);
    return wrong && after ? `names ${wrong.refers}, not ${after.effects[0]?.record}` : undefined;
  });
}

/** The ledger says that a step, or its undoing, is verified, and the desk knows nothing of it. */
export function stepsFalse(it: Case): Finding[] {
  return everyStep(it, (_play, { action, undo, effects, undos }) => {
    if (action?.state === 'verified' && effects.length === 0) return 'verified, but it is not there';
    return undo?.state === 'verified' && undos.length === 0 ? 'undone, but it is as it was' : undefined;
  });
}

/** What is wrong with plays, by the figure that counts it. */
export const playJudges: Readonly<Record<string, (it: Case) => Finding[]>> = {
  lost: stepsLost,
  duplicates: stepsDoubled,
  orderViolations: stepsOutOfOrder,
  phantom: stepsUncalledFor,
  falseSuccess: stepsFalse,
};

/** Ends that say openly that the effect may be missing. */
const honest = new Set(['rejected', 'dead', 'expired', 'escalated', 'differs', 'held']);
/** Ends without an effect, for which a play is called off. */
const effectless = new Set(['rejected', 'dead', 'expired', 'superseded']);

/** Whether a step comes before the one that compensates, and so is taken back with it. */
function before(it: Case, { destination }: LedgerAction): boolean {
  for (const [lead, steps] of it.plays) {
    const compensating = steps.findIndex(({ compensates }) => compensates);
    const names = [lead, ...steps.slice(0, Math.max(0, compensating)).map(({ name }) => name)];
    if (compensating >= 0 && names.includes(destination)) return true;
  }
  return false;
}

function everyStep(it: Case, judge: (play: Play, step: Taken) => string | undefined): Finding[] {
  const actions = new Map(
    it.ledger.actions.map((action) => [`${action.entity} ${action.destination}`, action]),
  );
  const undos = grouped(it.truth.undos, ({ entity }) => [entity]);
  const findings: Finding[] = [];
  for (const [entity, { desk }] of it.expected) {
    const later = it.plays.get(desk);
    if (!later) continue;
    const play = playOf(it, { entity, desk, later }, actions, undos.get(entity) ?? []);
    for (const step of play.steps) {
      const seen = judge(play, step);
      if (seen !== undefined) findings.push({ entity, desk: step.desk, seen });
    }
  }
  return findings;
}

function playOf(
  it: Case,
  { entity, desk: lead, later }: { entity: string; desk: Expected['desk']; later: readonly Step[] },
  actions: ReadonlyMap<string, LedgerAction>,
  undone: readonly Effect[],
): Play {
  const steps: Taken[] = [];
  for (const { name, after } of [{ name: lead, after: '' }, ...later]) {
    steps.push({
      desk: name,
      after: steps.find(({ desk }) => desk === after),
      action: actions.get(`${entity} ${name}`),
      undo: actions.get(`${entity} ${name}.undo`),
      effects: (it.effectsOf.get(entity) ?? []).filter(({ desk }) => desk === name),
      undos: undone.filter(({ desk }) => desk === name),
    });
  }
  const calledOff = later.some(
    ({ name, compensates }) => compensates && effectless.has(actions.get(`${entity} ${name}`)?.state ?? ''),
  );
  return { entity, steps, calledOff };
}
