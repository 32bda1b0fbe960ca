import { setTimeout as sleep } from 'node:timers/promises';
import type { Drill, DrillOptions } from '../drill.ts';
import { Crew } from '../failpoints/crew.ts';
import { type Action, type Cell, Failpoints } from '../failpoints/failpoints.ts';
import { actionOf, allCells, fewCells, others, pointOf, points } from '../failpoints/points.ts';
import { type Figures, holds } from '../figures.ts';
import { Scene, type SceneDesk } from '../fleet/scene.ts';
import { drawBelow, shuffled } from '../random.ts';
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

/** So many cells of an action may wait for their point, or be stopped there, at the same time. */
const atOnce: Record<Action, number> = { kill: 4, throw: 8, stop: 5 };

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
    Object.assign(figures, await tell(failpoints, form.cells, figures));
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

type Plan = {
  cells: readonly Cell[];
  seed: number;
  waves: number;
  deadlineMs: number;
  say(line: string): void;
};

/** Arms the cells a few at a time, with work coming in all the while, until each has been hit. */
async function hitAll(scene: Scene, crew: Crew, failpoints: Failpoints, plan: Plan): Promise<void> {
  const waiting = shuffled(plan.cells, plan.seed, 'order');
  const deadline = performance.now() + plan.deadlineMs;
  for (let wave = 0; wave < plan.waves && performance.now() < deadline; wave += 1) {
    await scene.release(wave);
    const armed = await failpoints.armed();
    if (armed.length === 0 && waiting.length === 0 && crew.waiting === 0) return;
    const busy = (action: Action) =>
      armed.filter((cell) => actionOf(cell) === action).length + (action === 'stop' ? crew.waiting : 0);
    for (const action of Object.keys(atOnce) as Action[]) {
      for (let free = atOnce[action] - busy(action); free > 0; free -= 1) {
        const next = waiting.findIndex((cell) => actionOf(cell) === action);
        const [cell] = next < 0 ? [] : waiting.splice(next, 1);
        if (cell) await failpoints.arm(cell, 1 + drawBelow(2, plan.seed, cell));
      }
    }
    if (wave % 20 === 0)
      plan.say(`${plan.cells.length - waiting.length - armed.length} cells hit, ${armed.length} armed`);
    await sleep(1_000);
  }
}

/** The drill's own figures; a cell that nobody reached makes the run void. */
async function tell(
  failpoints: Failpoints,
  cells: readonly Cell[],
  { broken }: Figures,
): Promise<Partial<Figures>> {
  const hit = new Set((await failpoints.hits()).map(({ cell }) => cell));
  const missed = cells.filter((cell) => !hit.has(cell));
  const byPoint = Object.fromEntries(
    points.map((point) => [point, [...hit].filter((cell) => pointOf(cell) === point).length]),
  );
  const known = new Set<string>([...points, ...Object.keys(others)]);
  const strangers = new Set((await failpoints.passed()).map(({ point }) => point));
  const unknown = [...strangers].filter((point) => !known.has(point));
  return {
    cells: cells.length,
    hit: hit.size,
    byPoint,
    broken:
      unknown.length === 0
        ? broken
        : [...broken, `points that points.ts does not know: ${unknown.join(', ')}`],
    void: missed.length === 0 ? null : `never hit: ${missed.join(', ')}`,
  };
}
