import type { Severity, Transition } from '../config/model.ts';
import { encodeEntity } from '../ledger/entity.ts';
import type { ActionState } from '../ledger/state.ts';
import { type Queryable, queries } from '../store/queries.ts';
import { snakeCased } from './json.ts';

const sql = queries('trace');

/** An entity that flips every minute has a long story; its end is what is asked for. */
const messagesShown = 100;
const actionsShown = 1_000;

/** One entity's whole story, newest message first. */
export interface Trace {
  /** What was asked for, as it was written. */
  asked: string;
  memberships: Membership[];
  messages: TracedMessage[];
  /** Older messages that are not shown. */
  earlier: number;
  /** Actions whose message is not among the above. */
  loose: TracedAction[];
  /** When nothing was found: entities with a similar beginning. */
  near: string[];
}

export interface Membership {
  signal: string;
  entity: string;
  /** It meets the signal now. */
  present: boolean;
  sequence: number;
  /** When a message of it was last let through; the cooldown counts from here. */
  lastFiredAt: Date | null;
}

/** A message's CloudEvents attributes, where it came from and what was made of it. */
export interface TracedMessage {
  id: string;
  type: string;
  subject: string;
  time: Date;
  sequence: string;
  severity: Severity;
  signal: string;
  version: string;
  transition: Transition;
  observedAt: Date | null;
  poll: { id: number; cause: string; correlation: string } | null;
  actions: TracedAction[];
}

export interface TracedAction {
  key: string;
  destination: string;
  state: ActionState;
  reason: string | null;
  externalId: string | null;
  observedAt: Date | null;
  detectedAt: Date;
  sentAt: Date | null;
  acceptedAt: Date | null;
  settledAt: Date | null;
  /** When a worker looks at it next. */
  dueAt: Date | null;
  expiresAt: Date;
  attempts: TracedAttempt[];
}

export interface TracedAttempt {
  at: Date;
  kind: 'write' | 'read' | 'command';
  outcome: string;
  decision: string;
  reason: string | null;
  durationMs: number | null;
  epoch: number | null;
}

/**
 * Everything the ledger knows about an entity.
 *
 * @param key the entity's key; of several columns as `a,b` or `["a","b"]`
 * @param order destinations in the order in which a message's actions are shown; others come after them, by name
 */
export async function traceEntity(
  client: Queryable,
  key: string,
  only: { signal?: string | undefined; destination?: string | undefined } = {},
  order: readonly string[] = [],
): Promise<Trace> {
  const entities = readings(key);
  const signal = only.signal ?? null;
  const destination = only.destination ?? null;
  const rows = await sql.run<MessageRow>(client, 'messages', {
    entities,
    signal,
    destination,
    limit: messagesShown,
  });
  const found = await sql.run<ActionRow>(client, 'actions', {
    entities,
    signal,
    destination,
    limit: actionsShown,
  });
  const memberships = await sql.run<MembershipRow>(client, 'memberships', { entities, signal });
  const places = new Map(order.map((name, place) => [name, place]));
  const placeOf = (row: ActionRow) => places.get(row.destination) ?? order.length;
  const actions = await withAttempts(
    client,
    found.toSorted((a, b) => placeOf(a) - placeOf(b)),
  );
  const shown = new Set(rows.map((row) => row.id));
  const total = rows[0]?.total ?? 0;
  const nothing = rows.length + found.length + memberships.length === 0;
  const near = nothing ? await sql.run<{ entity: string }>(client, 'near_entities', { entities }) : [];
  return {
    asked: key,
    memberships: memberships.map(({ fired_at: lastFiredAt, ...one }) => ({ ...one, lastFiredAt })),
    messages: rows.map((row) => message(row, actions.get(row.id) ?? [])),
    earlier: total - rows.length,
    // With messages left out, an action without one is most likely theirs.
    loose: total > rows.length ? [] : [...actions].flatMap(([id, made]) => (shown.has(id) ? [] : made)),
    near: near.map((row) => row.entity),
  };
}

/** The trace as JSON: the keys of `Trace` in snake_case, times as ISO 8601. */
export function traceToJson(trace: Trace): string {
  return `${JSON.stringify(snakeCased(trace), null, 2)}\n`;
}

/** What the text may mean: a key of one column as it stands, or one of several columns. */
function readings(key: string): string[] {
  const found = [key];
  const parts = jsonArray(key) ?? (key.includes(',') ? key.split(',').map((part) => part.trim()) : undefined);
  const encoded = parts && encodeEntity(parts);
  if (encoded != null) found.push(encoded);
  return [...new Set(found)];
}

function jsonArray(text: string): string[] | undefined {
  if (!text.trimStart().startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.map(String) : undefined;
  } catch {
    return undefined;
  }
}

interface MembershipRow extends Omit<Membership, 'lastFiredAt'> {
  fired_at: Date | null;
}

interface MessageRow {
  id: string;
  signal: string;
  version: string;
  entity: string;
  sequence: number;
  transition: Transition;
  severity: Severity;
  observed_at: Date | null;
  detected_at: Date;
  poll: number | null;
  cause: string | null;
  correlation: string | null;
  total: number;
}

function message(row: MessageRow, actions: TracedAction[]): TracedMessage {
  const { poll: id, cause, correlation } = row;
  return {
    id: row.id,
    type: `dev.readback.transition.${row.transition}`,
    subject: row.entity,
    time: row.detected_at,
    sequence: String(row.sequence),
    severity: row.severity,
    signal: row.signal,
    version: row.version,
    transition: row.transition,
    observedAt: row.observed_at,
    poll: id !== null && cause !== null && correlation !== null ? { id, cause, correlation } : null,
    actions,
  };
}

interface ActionRow {
  key: string;
  message: string;
  destination: string;
  state: ActionState;
  reason: string | null;
  external_id: string | null;
  observed_at: Date | null;
  detected_at: Date;
  sent_at: Date | null;
  accepted_at: Date | null;
  settled_at: Date | null;
  due_at: Date | null;
  expires_at: Date;
  attempt_ids: number[];
}

interface AttemptRow extends Omit<TracedAttempt, 'durationMs'> {
  id: number;
  duration_ms: number | null;
}

/** The actions with their attempts, by the message they are of. */
async function withAttempts(
  client: Queryable,
  rows: readonly ActionRow[],
): Promise<Map<string, TracedAction[]>> {
  const ids = [...new Set(rows.flatMap((row) => row.attempt_ids))];
  const found = ids.length === 0 ? [] : await sql.run<AttemptRow>(client, 'attempts', { ids });
  const attempts = new Map(
    found.map(({ id, duration_ms: durationMs, ...one }): [number, TracedAttempt] => [
      id,
      { ...one, durationMs },
    ]),
  );
  const byMessage = new Map<string, TracedAction[]>();
  for (const row of rows) {
    const action = {
      key: row.key,
      destination: row.destination,
      state: row.state,
      reason: row.reason,
      externalId: row.external_id,
      observedAt: row.observed_at,
      detectedAt: row.detected_at,
      sentAt: row.sent_at,
      acceptedAt: row.accepted_at,
      settledAt: row.settled_at,
      dueAt: row.due_at,
      expiresAt: row.expires_at,
      attempts: row.attempt_ids.flatMap((id) => attempts.get(id) ?? []),
    };
    byMessage.set(row.message, [...(byMessage.get(row.message) ?? []), action]);
  }
  return byMessage;
}
