import type { Drill, DrillOptions } from '../drill.ts';
import { Crew } from '../failpoints/crew.ts';
import { Failpoints } from '../failpoints/failpoints.ts';
import { allCells, fewCells, points } from '../failpoints/points.ts';
import { hitAll, tell } from '../failpoints/storm.ts';
import { type Figures, holds } from '../figures.ts';
import { Scene, type SceneDesk } from '../fleet/scene.ts';
import type { FaultKind } from '../standins/faults.ts';

export const drill: Drill = {
  name: 'failpoints',
  summary:
    'kill, throw and stop before and after each commit and each request, for each class; --actions at most',
  actions: 6_000,
  run,
};

const forms = {
  long: { cells: allCells, processes: 9, waves: 1_200, deadlineMs: 40 * 60_000 },
  short: { cells: fewCells, processes: 4, waves: 120, deadlineMs: 150_000 },
};

async function run({ seed, actions, short }: DrillOptions, say: (line: string) => void): Promise<Figures> {
  const form = short ? forms.short : forms.long;
  const desks = fourDesks(short ? 240 : actions);
  const failpoints = await Failpoints.open();
  const { env } = failpoints;
  const scene = await Scene.open({ drill: drill.name, seed, desks, waves: form.waves, say, env });
  const crew = new Crew(scene.product, failpoints);
  let keep = true;
  try {
    await failpoints.watch(desks, scene.network.urls);
    await crew.start(Array.from({ length: form.processes }, () => 'all' as const));
    await hitAll(scene, crew, failpoints, { seed, say, ...form });
    await scene.calm();
    await scene.detected();
    await scene.settled(180_000);
    await crew.end();
    await scene.product.stopAll();
    const { figures } = await scene.judge();
    Object.assign(figures, await tell(failpoints, { ...form, points }, figures));
    figures.kills = crew.kills;
    keep = !holds(figures);
    return figures;
  } finally {
    await crew.end();
    await scene.close({ keep });
    await failpoints.close();
  }
}

/** Faults that make the product pause, fail and recover; each ends well. */
function fourDesks(actions: number): SceneDesk[] {
  const kinds: FaultKind[] = ['throttled_seconds', 'read_429', 'error_before', 'error_after', 'read_500'];
  const standin = { faults: { share: 0.15, kinds } };
  const facts = { lanes: 6, lag: '2s', timeout: '1500ms', standin } as const;
  return [
    { name: 'crm', kind: 'upsert', actions: Math.ceil(actions / 2), ...facts },
    { name: 'tickets', kind: 'keyed', actions: Math.ceil(actions / 6), ...facts },
    { name: 'chat', kind: 'marker', actions: Math.ceil(actions / 6), ...facts },
    { name: 'orders', kind: 'plain', actions: Math.ceil(actions / 6), ...facts },
  ];
}
