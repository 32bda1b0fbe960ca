import type { Drill, DrillOptions } from '../drill.ts';
import { type Figures, holds, noFigures, type Wrong, wrongs } from '../figures.ts';
import { type Bug, bugs } from '../planted/bugs.ts';
import { exams } from '../planted/exams.ts';
import { buildVariant } from '../planted/variant.ts';

export const drill: Drill = {
  name: 'honesty',
  summary:
    'bugs planted in builds that never ship: each must be caught, and the real build must not be suspected',
  actions: 1,
  run,
};

/** @property seeds so many tries has a bug to be caught, and the real build to raise an alarm */
const forms = {
  long: { bugs, seeds: 5, real: 10 },
  short: {
    bugs: bugs.filter(({ name }) => ['new-key-each-attempt', 'throttle-is-an-attempt'].includes(name)),
    seeds: 5,
    real: 1,
  },
};

async function run({ seed, short }: DrillOptions, say: (line: string) => void): Promise<Figures> {
  const form = short ? forms.short : forms.long;
  const figures = noFigures(drill.name, seed);
  const caught: Record<string, number> = {};
  const alarms: Record<string, string> = {};
  for (const bug of form.bugs) {
    const found = await caughtBy(bug, seed, form.seeds, figures, say);
    if (found) {
      caught[bug.name] = found.tries;
      alarms[bug.name] = found.alarm;
    }
  }
  const falseAlarms = await suspect(form.bugs, seed, form.real, figures, say);
  const missed = form.bugs.map(({ name }) => name).filter((name) => !(name in caught));
  if (missed.length > 0) figures.broken.push(`not caught: ${missed.join(', ')}`);
  if (falseAlarms.length > 0) figures.broken.push(`${falseAlarms.length} false alarms`);
  return { ...figures, caught, alarms, missed, falseAlarms };
}

/** The first of so many seeds with which the bug's exam raises an alarm. */
async function caughtBy(
  bug: Bug,
  seed: number,
  seeds: number,
  figures: Figures,
  say: DrillSay,
): Promise<{ tries: number; alarm: string } | undefined> {
  const main = await buildVariant(bug);
  for (let tries = 1; tries <= seeds; tries += 1) {
    const alarm = await sit(bug.exam, { seed: seed + tries - 1, main }, figures, say);
    say(`${bug.name}, seed ${seed + tries - 1}: ${alarm ?? 'nothing noticed'}`);
    if (alarm !== undefined) return { tries, alarm };
  }
  return undefined;
}

/** Every exam that a bug needs, on the real build. */
async function suspect(
  chosen: readonly Bug[],
  seed: number,
  seeds: number,
  figures: Figures,
  say: DrillSay,
): Promise<string[]> {
  const falseAlarms: string[] = [];
  for (let tries = 0; tries < seeds; tries += 1) {
    for (const exam of new Set(chosen.map((bug) => bug.exam))) {
      const alarm = await sit(exam, { seed: seed + tries }, figures, say);
      say(`the real build, ${exam}, seed ${seed + tries}: ${alarm ?? 'nothing to notice'}`);
      if (alarm !== undefined) falseAlarms.push(`${exam}, seed ${seed + tries}: ${alarm}`);
    }
  }
  return falseAlarms;
}

type DrillSay = (line: string) => void;

/** What an exam noticed, in words; undefined: nothing. A void run notices nothing. */
async function sit(
  exam: Bug['exam'],
  sitting: { seed: number; main?: string },
  figures: Figures,
  say: DrillSay,
): Promise<string | undefined> {
  const quiet = (line: string) => {
    if (!line.startsWith('in /')) say(`  ${line}`);
  };
  const found = await exams[exam]({ ...sitting, say: quiet }).catch((error: Error) => ({
    ...noFigures(drill.name, sitting.seed),
    void: error.message,
  }));
  figures.actions += found.actions;
  figures.kills += found.kills;
  figures.faults += found.faults;
  if (found.void !== null) {
    say(`  ${exam} proves nothing: ${found.void}`);
    // A bug may keep an exam from its end; the real build may not.
    if (!sitting.main) figures.void = `${exam}, seed ${sitting.seed}: ${found.void}`;
    return undefined;
  }
  if (holds(found)) return undefined;
  const counts = wrongs.filter((wrong: Wrong) => found[wrong] > 0).map((wrong) => `${wrong} ${found[wrong]}`);
  return [...counts, ...found.broken].join('; ');
}
