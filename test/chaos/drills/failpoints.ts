import type { Drill, DrillOptions } from '../drill.ts';
import { allCells, fewCells, points } from '../failpoints/points.ts';
import { type Form, storm } from '../failpoints/storm.ts';
import type { Figures } from '../figures.ts';
import type { SceneDesk } from '../fleet/scene.ts';
import type { FaultKind } from '../standins/faults.ts';

export const drill: Drill = {
  name: 'failpoints',
  summary:
    'kill, throw and stop before and after each commit and each request, for each class; --actions at most',
  actions: 6_000,
  run,
};

const forms: Record<'long' | 'short', Form> = {
  long: { cells: allCells, processes: 9, waves: 1_200, deadlineMs: 40 * 60_000 },
  short: { cells: fewCells, processes: 4, waves: 120, deadlineMs: 150_000 },
};

async function run({ seed, actions, short }: DrillOptions, say: (line: string) => void): Promise<Figures> {
  const form = short ? forms.short : forms.long;
  const desks = fourDesks(short ? 240 : actions);
  return storm({ drill: drill.name, seed, desks, points, say, ...form });
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
