import { setTimeout as sleep } from 'node:timers/promises';
import type { Figures } from '../figures.ts';
import type { Scene } from '../fleet/scene.ts';
import { drawBelow, shuffled } from '../random.ts';
import type { Crew } from './crew.ts';
import type { Action, Cell, Failpoints } from './failpoints.ts';
import { actionOf, others, pointOf } from './points.ts';

/** So many cells of an action may wait for their point, or be stopped there, at the same time. */
const atOnce: Record<Action, number> = { kill: 4, throw: 8, stop: 5 };

export type Plan = {
  cells: readonly Cell[];
  seed: number;
  waves: number;
  deadlineMs: number;
  say(line: string): void;
};

/** Arms the cells a few at a time, with work coming in all the while, until each has been hit. */
export async function hitAll(scene: Scene, crew: Crew, failpoints: Failpoints, plan: Plan): Promise<void> {
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
export async function tell(
  failpoints: Failpoints,
  { cells, points }: { cells: readonly Cell[]; points: readonly string[] },
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
