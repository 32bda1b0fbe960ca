import type { Drill, DrillOptions } from '../drill.ts';
import { Crew } from '../failpoints/crew.ts';
import { Failpoints } from '../failpoints/failpoints.ts';
import { fewPlayCells, playCells, playPoints } from '../failpoints/points.ts';
import { hitAll, tell } from '../failpoints/storm.ts';
import { type Figures, holds } from '../figures.ts';
import { Scene, type SceneDesk } from '../fleet/scene.ts';
import type { FaultKind } from '../standins/faults.ts';
import { Workload } from '../workload/workload.ts';

export const drill: Drill = {
  name: 'plays',
  summary:
    'kill, throw and stop between the steps of plays, half of which are called off and undone; --actions at most',
  actions: 3_000,
  run,
};

const forms = {
  long: { cells: playCells, processes: 9, waves: 1_200, deadlineMs: 40 * 60_000 },
  short: { cells: fewPlayCells, processes: 3, waves: 40, deadlineMs: 120_000 },
};

async function run({ seed, actions, short }: DrillOptions, say: (line: string) => void): Promise<Figures> {
  const form = short ? forms.short : forms.long;
  const desks = fourSteps(short ? 60 : Math.ceil(actions / 4), seed, form.waves);
  const failpoints = await Failpoints.open();
  const { env } = failpoints;
  const scene = await Scene.open({ drill: drill.name, seed, desks, waves: form.waves, say, env });
  const crew = new Crew(scene.product, failpoints);
  let keep = true;
  try {
    await failpoints.watch(desks, scene.network.urls, 'tickets');
    await crew.start(Array.from({ length: form.processes }, () => 'all' as const));
    await hitAll(scene, crew, failpoints, { seed, say, ...form });
    await scene.calm();
    await scene.detected();
    await scene.settled(180_000);
    await crew.end();
    await scene.product.stopAll();
    const { figures, it } = await scene.judge();
    Object.assign(figures, await tell(failpoints, { ...form, points: playPoints }, figures));
    figures.undone = it.truth.undos.length;
    if (it.truth.undos.length === 0) figures.void ??= 'no play was undone';
    figures.kills = crew.kills;
    keep = !holds(figures);
    return figures;
  } finally {
    await crew.end();
    await scene.close({ keep });
    await failpoints.close();
  }
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
