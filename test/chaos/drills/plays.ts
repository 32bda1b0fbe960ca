import type { Drill, DrillOptions } from '../drill.ts';
import { fewPlayCells, playCells, playPoints } from '../failpoints/points.ts';
import { type Form, storm } from '../failpoints/storm.ts';
import type { Figures } from '../figures.ts';
import type { SceneDesk } from '../fleet/scene.ts';
import type { FaultKind } from '../standins/faults.ts';
import { Workload } from '../workload/workload.ts';

export const drill: Drill = {
  name: 'plays',
  summary:
    'kill, throw and stop between the steps of plays, half of which are called off and undone; --actions at most',
  actions: 3_000,
  run,
};

const forms: Record<'long' | 'short', Form> = {
  long: { cells: playCells, processes: 9, waves: 1_200, deadlineMs: 40 * 60_000 },
  short: { cells: fewPlayCells, processes: 3, waves: 40, deadlineMs: 120_000 },
};

async function run({ seed, actions, short }: DrillOptions, say: (line: string) => void): Promise<Figures> {
  const form = short ? forms.short : forms.long;
  const desks = fourSteps(short ? 60 : Math.ceil(actions / 4), seed, form.waves);
  const points = playPoints;
  return storm({ drill: drill.name, seed, desks, points, undone: 'tickets', say, ...form }, (figures, it) => {
    figures.undone = it.truth.undos.length;
    if (it.truth.undos.length === 0) figures.void ??= 'no play was undone';
  });
}

/**
 * A play of four steps: a ticket, a message, a contact whose failure undoes both, an order. The contact of every other
 * entity is refused for good.
 */
function fourSteps(plays: number, seed: number, waves: number): SceneDesk[] {
  const kinds: FaultKind[] = ['throttled_seconds', 'read_429', 'error_before', 'error_after', 'read_500'];
  const standin = { faults: { share: 0.1, kinds } };
  const facts = { lanes: 6, lag: '1s', timeout: '1500ms', standin } as const;
  const first = { name: 'tickets', kind: 'keyed', actions: plays, ...facts } as const;
  const bad = new Workload(seed, [first], waves)
    .entitiesOf('tickets')
    .filter((entity) => /[13579]$/.test(entity));
  const later = { of: 'tickets' } as const;
  return [
    first,
    { name: 'chat', kind: 'marker', actions: 0, ...facts, step: { ...later, after: 'tickets' } },
    {
      name: 'crm',
      kind: 'upsert',
      actions: 0,
      ...facts,
      standin: { ...standin, bad },
      step: { ...later, after: 'chat', compensates: true },
    },
    { name: 'orders', kind: 'plain', actions: 0, ...facts, step: { ...later, after: 'crm' } },
  ];
}
