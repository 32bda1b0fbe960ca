import { createHash } from 'node:crypto';
import { renderFields } from '../act/prepare.ts';
import type { Destination, Project, Signal } from '../config/model.ts';
import { loadConnector } from '../connectors/index.ts';
import { bucketCount, signalQuery } from '../detect/poll.ts';
import { cloudEvent, type MessageRow } from '../emit/message.ts';
import { Enricher } from '../enrich/enrich.ts';
import { ReadbackError } from '../errors.ts';
import { decodeEntity, encodeEntity } from '../ledger/entity.ts';
import { compileDestination } from '../openings.ts';
import { route } from '../route/route.ts';
import { joinScopes, type Scope } from '../templates/index.ts';
import type { Value } from '../warehouses/warehouse.ts';
import type { Warehouses } from './warehouses.ts';

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
  warehouses: Warehouses,
  choice: { limit: number; only: readonly string[] },
): Promise<PreviewedEntity[]> {
  const members = await firstMembers(signal, warehouses, choice);
  const enricher = new Enricher(warehouses.warehouse);
  const destinations = [...project.destinations.values()].filter((one) => one.signals.includes(signal.name));
  const previewed = members.map((member) => previewEntity(project, signal, member));
  const entities = members.map((member) => member.entity);
  const abort = new AbortController().signal;
  const plain = await enricher.scopes(project, signal, [], entities, abort);
  for (const one of previewed) one.row = plain.get(one.entity) ?? {};
  for (const destination of destinations) {
    const scopes = await enricher.scopes(project, signal, destination.enrich, entities, abort);
    const render = await renderer(destination);
    for (const one of previewed) {
      const facts = { now: new Date().toISOString(), message: messageScope(one.message, signal) };
      const row = scopes.get(one.entity) ?? {};
      one.row = joinScopes(one.row, row);
      one.actions.push(render(joinScopes(row, facts)));
    }
  }
  return previewed;
}

/** The first members that would enter now, or the chosen ones, without reading more of the result than needed. */
async function firstMembers(
  signal: Signal,
  warehouses: Warehouses,
  { limit, only }: { limit: number; only: readonly string[] },
): Promise<Member[]> {
  const warehouse = await warehouses.warehouse(signal.warehouse);
  const read = { timeoutMs: signal.timeoutMs };
  const query = await signalQuery(signal, warehouse, read);
  const wanted = only.length > 0 ? new Set(only) : undefined;
  const most = wanted?.size ?? limit;
  const members: Member[] = [];
  for await (const batch of warehouse.read(warehouse.members(query, bucketCount), read)) {
    for (const [, armed, , , observedAt = null, ...key] of batch) {
      const entity = encodeEntity(key);
      if (entity === null || armed !== 'true' || (wanted && !wanted.has(entity))) continue;
      members.push({ entity, observedAt });
      if (members.length === most) return members;
    }
  }
  return members;
}

function previewEntity(project: Project, signal: Signal, { entity, observedAt }: Member): PreviewedEntity {
  const now = new Date();
  const message: MessageRow = {
    id: messageId([project.name, signal.name, signal.version, entity, '1']),
    signal: signal.name,
    version: signal.version,
    entity,
    sequence: 1,
    transition: 'entered',
    severity: signal.severity,
    observed_at: observedAt === null ? null : new Date(observedAt),
    detected_at: now,
  };
  const values = decodeEntity(entity, signal.key.length);
  const key = Object.fromEntries(signal.key.map((column, index) => [column, values[index] ?? '']));
  return { entity, row: {}, message: cloudEvent(project.name, message, key), actions: [] };
}

/** The id that the entity's first message would have; sql/queries/detect.sql makes it the same way. */
function messageId(parts: readonly string[]): string {
  const hex = createHash('md5').update(parts.join('\u001f')).digest('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The `message` that templates see, of an entity's first transition. */
function messageScope(message: Record<string, unknown>, signal: Signal): Record<string, unknown> {
  const data = message.data as Record<string, unknown>;
  return {
    id: message.id,
    signal: signal.name,
    entity: message.subject,
    transition: data.transition,
    severity: message.severity,
    owner: signal.owner ?? null,
    sequence: 1,
    detected_at: data.detected_at,
    observed_at: data.observed_at,
  };
}

/** Does for one row what routing and acting would: the condition, then the fields. */
async function renderer(destination: Destination): Promise<(scope: Scope) => PreviewedAction> {
  const connector = await loadConnector(destination.connector);
  const type = connector?.actions[destination.action];
  if (!type) throw new Error(`${destination.connector} has no action ${destination.action}`);
  const { templates, condition } = compileDestination(destination, type);
  const head = { destination: destination.name, action: destination.action };
  return (scope) => {
    try {
      if (!destination.on.includes('entered')) {
        return { ...head, outcome: 'not involved', reason: `acts on ${destination.on.join(', ')}` };
      }
      const decision = route(condition, destination.when, scope);
      if (!decision.wanted) return { ...head, outcome: 'suppressed', reason: decision.reason };
      return { ...head, outcome: 'send', fields: renderFields(templates, type, scope) };
    } catch (error) {
      return { ...head, outcome: 'refused', reason: refusal(error) };
    }
  };
}

function refusal(error: unknown): string {
  if (error instanceof ReadbackError) return error.format();
  const { issues } = error as { issues?: { path: PropertyKey[]; message: string }[] };
  if (!issues) throw error;
  return issues.map((issue) => `${issue.path.map(String).join('.')}: ${issue.message}`).join('; ');
}
