import type { Signal, Transition } from '../config/model.ts';
import { type Member, readMembers } from '../detect/members.ts';
import { ReadbackError } from '../errors.ts';
import type { Move } from '../preview.ts';
import type { Warehouse } from '../warehouses/warehouse.ts';

/** The transitions between two polls, as `find_moves` of sql/queries/detect.sql has them; a test compares the two. */
export async function movesBetween(
  signal: Signal,
  before: Signal | undefined,
  warehouse: Warehouse,
  detectedAt: Date,
): Promise<Move[]> {
  const earlier = before ? await membersOf(before, warehouse) : new Map<string, Member>();
  const present = new Map([...earlier].filter(([, { armed }]) => armed));
  const found = await membersOf(signal, warehouse);
  const moves: Move[] = [];
  const add = (transition: Transition, entity: string, observedAt: string | null): void => {
    const sequence = present.has(entity) ? 2 : 1;
    if (signal.on.includes(transition)) moves.push({ transition, entity, observedAt, sequence, detectedAt });
  };
  for (const [entity, { armed, fingerprint, observedAt }] of found) {
    const known = present.get(entity);
    if (!known && armed) add('entered', entity, observedAt);
    else if (known && known.fingerprint !== fingerprint) add('changed', entity, observedAt);
  }
  for (const entity of present.keys()) if (!found.has(entity)) add('left', entity, null);
  return moves.sort((a, b) => (a.entity < b.entity ? -1 : 1));
}

async function membersOf(signal: Signal, warehouse: Warehouse): Promise<Map<string, Member>> {
  const members = new Map<string, Member>();
  for await (const member of readMembers(signal, warehouse)) {
    const { entity } = member;
    if (entity === null || members.has(entity))
      throw new ReadbackError(
        'SIGNAL_SQL',
        entity === null
          ? `a row has no ${signal.key.join(', ')}; a poll would be held`
          : `${signal.key.join(', ')} ${entity} is returned more than once; a poll would be held`,
      );
    members.set(entity, member);
  }
  return members;
}
