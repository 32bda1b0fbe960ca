import type { SceneDesk } from '../fleet/scene.ts';
import type { DeskKind } from './workload.ts';

/**
 * One desk of each class. Upserts go a hundred to a request, the others one by one, so that most actions are upserts, as
 * they are for users. The limit of the chat desk is low enough to bind; the late writes end before the lag does.
 *
 * @param lateMaxMs how late a write may be that its answer did not tell of
 */
export function fourDesks(actions: number, faultShare = 0, lateMaxMs = 3_000): SceneDesk[] {
  const faults = { share: faultShare, lateMaxMs, staleMs: 1_000 };
  const standin = { faults: faultShare > 0 ? faults : null };
  const lag = `${lateMaxMs + 2_000}ms`;
  const desk = (name: string, kind: DeskKind, share: number, requests: number): SceneDesk => ({
    name,
    kind,
    lag,
    standin,
    actions: Math.ceil(actions * share),
    limit: { requests, perMs: 60_000 },
  });
  return [
    desk('crm', 'upsert', 0.6, 6_000),
    desk('tickets', 'keyed', 0.2, 6_000),
    desk('chat', 'marker', 0.12, 3_000),
    desk('orders', 'plain', 0.08, 6_000),
  ];
}
