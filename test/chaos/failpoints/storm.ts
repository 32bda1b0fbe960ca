import { setTimeout as sleep } from 'node:timers/promises';
import { type Figures, holds } from '../figures.ts';
import { Scene, type SceneDesk } from '../fleet/scene.ts';
import { drawBelow, shuffled } from '../random.ts';
import { Crew } from './crew.ts';
import { type Action, type Cell, Failpoints } from './failpoints.ts';
import { actionOf, others, pointOf } from './points.ts';

/** So many cells of an action may wait for their point, or be stopped there, at the same time. */
const atOnce: Record<Action, number> = { kill: 4, throw: 8, stop: 5 };

/** How long and with how many it storms. */
export interface Form {
  cells: readonly Cell[];
  processes: number;
  waves: number;
  deadlineMs: number;
}

export interface Storm extends Form {
  drill: string;
  seed: number;
  desks: SceneDesk[];
  points: readonly string[];
  /** The desk whose records a play may undo. */
  undone?: string;
  say(line: string): void;
}

type Judged = Awaited<ReturnType<Scene['judge']>>;

/**
 * Processes at work while each cell is hit, and what is then judged.
 *
 * @param also adds what is the drill's own to the figures
 */
export async function storm(
  { undone, ...plan }: Storm,
  also: (figures: Figures, it: Judged['it']) => void = () => {},
): Promise<Figures> {
  const { drill, seed, desks, waves, say } = plan;
  const failpoints = await Failpoints.open();
  const { env } = failpoints;
  const scene = await Scene.open({ drill, seed, desks, waves, say, env });
  const crew = new Crew(scene.product, failpoints);
  let keep = true;
  try {
    await failpoints.watch(desks, scene.network.urls, undone);
    await crew.start(Array.from({ length: plan.processes }, () => 'all' as const));
    await hitAll(scene, crew, failpoints, plan);
    await scene.calm();
    await scene.detected();
    await scene.settled(180_000);
    await crew.end();
    await scene.product.stopAll();
    const { figures, it } = await scene.judge();
    Object.assign(figures, await tell(failpoints, plan, figures));
    also(figures, it);
    figures.kills = crew.kills;
    keep = !holds(figures);
    return figures;
  } finally {
    await crew.end();
    await scene.close({ keep });
    await failpoints.close();
  }
}

/** Arms the cells a few at a time, with work coming in all the while, until each has been hit. */
async function hitAll(
  scene: Scene,
  crew: Crew,
  failpoints: Failpoints,
  plan: Omit<Storm, 'undone'>,
): Promise<void> {
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
  { cells, points }: Storm,
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
