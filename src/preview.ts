import { createHash } from 'node:crypto';
import { describeRefusal, renderFields } from './act/prepare.ts';
import type { Destination, Project, Signal, Transition } from './config/model.ts';
import { inOrder, linkTo, stepsBefore, subscribers } from './config/play.ts';
import { bucketCount } from './detect/digest.ts';
import { readMembers } from './detect/members.ts';
import { signalQuery } from './detect/poll.ts';
import { cloudEvent, type MessageRow, messageScope } from './emit/message.ts';
import { Enricher } from './enrich/enrich.ts';
import { decodeEntity } from './ledger/entity.ts';
import { compileDestination, templatesFor } from './openings.ts';
import { route } from './route/route.ts';
import { joinScopes, type Scope } from './templates/index.ts';
import type { Value, Warehouse } from './warehouses/warehouse.ts';

/** One entity as a poll would take it. */
export interface PreviewedEntity {
  entity: string;
  /** The row with the enrichments of all its destinations. */
  row: Scope;
  message: Record<string, unknown>;
  actions: PreviewedAction[];
}

export type PreviewedAction = { destination: string; action: string } & (
  | { outcome: 'send'; fields: Record<string, string> }
  | { outcome: 'suppressed' | 'refused' | 'not involved'; reason: string }
);

type OpenWarehouse = (name: string) => Promise<Warehouse>;

interface Member {
  entity: string;
  observedAt: Value;
}

/**
 * What would happen if these entities entered the signal now. Reads the warehouse with the statements that polls use;
 * touches no ledger and no destination.
 */
export async function previewSignal(
  project: Project,
  signal: Signal,
  open: OpenWarehouse,
  choice: { limit: number; only: readonly string[] },
): Promise<PreviewedEntity[]> {
  const members = await firstMembers(signal, open, choice);
  const drafts = members.map((member) =>
    draftMessage(signal, project.name, {
      ...member,
      transition: 'entered',
      sequence: 1,
      detectedAt: new Date(),
    }),
  );
  return previewMessages(project, signal, open, drafts);
}

/** What each message would come to: its row, and what every destination of the signal would be sent. */
export async function previewMessages(
  project: Project,
  signal: Signal,
  open: OpenWarehouse,
  drafts: readonly MessageRow[],
): Promise<PreviewedEntity[]> {
  const enricher = new Enricher(open);
  const order = inOrder(project.destinations);
  const destinations = subscribers(project, signal).toSorted(
    (a, b) => order.indexOf(a.name) - order.indexOf(b.name),
  );
  const previewed = drafts.map((draft) => previewEntity(project, signal, draft));
  const abort = new AbortController().signal;
  const plain = await enricher.scopes(project, signal, [], drafts, abort);
  for (const one of previewed) one.row = joinScopes(...(plain.get(one.entity) ?? []));
  for (const destination of destinations) {
    const scopes = await enricher.scopes(project, signal, destination.enrich, drafts, abort);
    const render = renderer(project, destination);
    for (const [index, draft] of drafts.entries()) {
      const one = previewed[index] as PreviewedEntity;
      const facts = { now: draft.detected_at.toISOString(), message: messageScope(draft, signal.owner) };
      const row = joinScopes(...(scopes.get(one.entity) ?? []));
      one.row = joinScopes(one.row, row);
      one.actions.push(render(draft.transition, joinScopes(row, facts), one.actions));
    }
  }
  return previewed;
}

/** The most that one read of the signal's members would scan; undefined where reading costs nothing. */
export async function previewCost(signal: Signal, open: OpenWarehouse): Promise<bigint | undefined> {
  const warehouse = await open(signal.warehouse);
  const read = { timeoutMs: signal.timeoutMs, label: signal.name };
  const query = await signalQuery(signal, warehouse, read);
  return (await warehouse.cost?.(warehouse.members(query, bucketCount), read))?.bytes;
}

/** The first members that would enter now, or the chosen ones, without reading more of the result than needed. */
async function firstMembers(
  signal: Signal,
  open: OpenWarehouse,
  { limit, only }: { limit: number; only: readonly string[] },
): Promise<Member[]> {
  const warehouse = await open(signal.warehouse);
  const wanted = only.length > 0 ? new Set(only) : undefined;
  const most = wanted?.size ?? limit;
  const members: Member[] = [];
  for await (const { entity, armed, observedAt } of readMembers(signal, warehouse)) {
    if (entity === null || !armed || (wanted && !wanted.has(entity))) continue;
    members.push({ entity, observedAt });
    if (members.length === most) return members;
  }
  return members;
}

/** A transition that a poll would find. */
export interface Move extends Member {
  transition: Transition;
  sequence: number;
  detectedAt: Date;
}

/** The message that a transition would make. */
export function draftMessage(signal: Signal, project: string, move: Move): MessageRow {
  const { entity, sequence, transition, observedAt, detectedAt } = move;
  return {
    id: messageId([project, signal.name, signal.version, entity, String(sequence)]),
    signal: signal.name,
    version: signal.version,
    entity,
    sequence,
    transition,
    severity: signal.severity,
    observed_at: observedAt === null ? null : new Date(observedAt),
    detected_at: detectedAt,
  };
}

function previewEntity(project: Project, signal: Signal, message: MessageRow): PreviewedEntity {
  const values = decodeEntity(message.entity, signal.key.length);
  const key = Object.fromEntries(signal.key.map((column, index) => [column, values[index] ?? '']));
  return { entity: message.entity, row: {}, message: cloudEvent(project.name, message, key), actions: [] };
}

/** The id that a message has; sql/queries/detect.sql makes it the same way. */
function messageId(parts: readonly string[]): string {
  const hex = createHash('md5').update(parts.join('\u001f')).digest('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Does for one row what routing and acting would: the condition, then the fields. */
function renderer(
  project: Project,
  destination: Destination,
): (transition: Transition, scope: Scope, earlier: readonly PreviewedAction[]) => PreviewedAction {
  const type = project.connections.get(destination.connection)?.actions[destination.action];
  if (!type) throw new Error(`${destination.connector} has no action ${destination.action}`);
  const compiled = compileDestination(destination, type);
  const head = { destination: destination.name, action: destination.action };
  return (transition, row, earlier) => {
    try {
      if (!destination.on.includes(transition)) {
        return { ...head, outcome: 'not involved', reason: `acts on ${destination.on.join(', ')}` };
      }
      const stopped = stopAt(project, destination, earlier);
      if (stopped !== undefined) return { ...head, outcome: 'suppressed', reason: `stopped: ${stopped}` };
      const scope =
        destination.after.length > 0 ? joinScopes(row, foreseen(project, destination, earlier)) : row;
      const decision = route(compiled.condition, destination.when, scope);
      if (!decision.wanted) return { ...head, outcome: 'suppressed', reason: decision.reason };
      return {
        ...head,
        outcome: 'send',
        fields: renderFields(templatesFor(compiled, transition), type, scope),
      };
    } catch (error) {
      return { ...head, outcome: 'refused', reason: describeRefusal(error, destination) };
    }
  };
}

/** The earlier step without which this one would not begin, and what would become of it. */
function stopAt(
  project: Project,
  { name }: Destination,
  earlier: readonly PreviewedAction[],
): string | undefined {
  const before = stepsBefore(project.destinations, name);
  const failed = earlier.find(
    ({ destination, outcome }) =>
      before.has(destination) &&
      outcome !== 'send' &&
      project.destinations.get(destination)?.onFailure !== 'skip',
  );
  return failed && `${failed.destination} is ${failed.outcome}`;
}

/** What stands for the results of steps that have not been taken. */
function foreseen(
  project: Project,
  { name }: Destination,
  earlier: readonly PreviewedAction[],
): { results: Record<string, unknown> } {
  const steps = [...stepsBefore(project.destinations, name)].map((step) => {
    const sent = earlier.find(({ destination }) => destination === step)?.outcome === 'send';
    if (!sent) return [step, { id: null, url: null, state: 'suppressed' }];
    const id = `(id of ${step})`;
    return [step, { id, url: linkTo(project, step, id), state: 'verified' }];
  });
  return { results: Object.fromEntries(steps) };
}
