import type { SceneDesk } from '../fleet/scene.ts';

/**
 * One desk of each class. Upserts go a hundred to a request, the others one by one, so that most actions are upserts, as
 * they are for users. The limit of the chat desk is low enough to bind; the late writes end before the lag does.
 */
export function fourDesks(actions: number, faultShare = 0): SceneDesk[] {
  const faults = { share: faultShare, lateMaxMs: 3_000, staleMs: 1_000 };
  const standin = { faults: faultShare > 0 ? faults : null };
  const part = (share: number) => Math.ceil(actions * share);
  const minute = (requests: number) => ({ requests, perMs: 60_000 });
  return [
    { name: 'crm', kind: 'upsert', actions: part(0.6), limit: minute(6_000), standin },
    { name: 'tickets', kind: 'keyed', actions: part(0.2), limit: minute(6_000), standin },
    { name: 'chat', kind: 'marker', actions: part(0.12), limit: minute(3_000), standin },
    { name: 'orders', kind: 'plain', actions: part(0.08), limit: minute(6_000), standin },
  ];
}
