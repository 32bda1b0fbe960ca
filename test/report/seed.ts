import { createHash } from 'node:crypto';
import type pg from 'pg';
import { type ActionState, inFlightStates } from '../../src/ledger/state.ts';

/** All times in these tests are counted from here. */
export const start = new Date('2026-03-01T00:00:00.000Z');
export const at = (ms: number): Date => new Date(start.getTime() + ms);

export interface SeedAction {
  signal: string;
  destination: string;
  state: ActionState;
  /** Polls begin at `poll` hours after the start; default 0. */
  poll?: number;
  entity?: string;
  reason?: string | null | undefined;
  /** Milliseconds after the poll began. */
  detected?: number;
  observed?: number | null | undefined;
  sent?: number | null | undefined;
  accepted?: number | null | undefined;
  settled?: number;
  tries?: number;
  attempts?: { kind: 'write' | 'read'; outcome: string; decision?: string; reason?: string | null }[];
}

export const hour = 3_600_000;
const uuid = (text: string) => createHash('md5').update(text).digest('hex');

export const isInFlight = (state: ActionState) => (inFlightStates as readonly ActionState[]).includes(state);
export const isSettled = (state: ActionState) => !isInFlight(state) && state !== 'held';

/** Empties the ledger. */
export async function clear(pool: pg.Pool): Promise<void> {
  await pool.query(
    `truncate signals, polls, entities, messages, destinations, detections, actions, attempts, connections, pruned_detections,
     pruned_actions cascade`,
  );
}

/**
 * Writes actions into the ledger as a poll and the workers would have: polls, messages, detections, attempts. Returns
 * the keys in the order given.
 */
export async function seed(pool: pg.Pool, actions: readonly SeedAction[]): Promise<string[]> {
  const rows = actions.map((action, index) => row(action, index));
  await pool.query({
    text: `
      with row as (
        select * from jsonb_to_recordset($1) as r (
          key uuid, message uuid, signal text, destination text, entity text, sequence bigint, state action_state, reason text,
          begun timestamptz, due_at timestamptz, attempts integer, observed_at timestamptz, detected_at timestamptz,
          sent_at timestamptz, accepted_at timestamptz, settled_at timestamptz
        )
      ), poll as (
        insert into polls (signal, scheduled_for, cause, state, started_at, finished_at)
        select distinct signal, begun, 'schedule', 'done'::poll_state, begun, begun + interval '1 minute' from row
        returning id, signal, scheduled_for
      ), message as (
        insert into messages (id, poll, signal, version, entity, sequence, transition, severity, observed_at, detected_at)
        select message, id, row.signal, 'v1', entity, sequence, 'entered', 'high', observed_at, detected_at
        from row join poll on poll.signal = row.signal and poll.scheduled_for = row.begun
      ), detection as (
        insert into detections (poll, destination, signal, detected)
        select id, destination, row.signal, count(*)
        from row join poll on poll.signal = row.signal and poll.scheduled_for = row.begun
        group by id, destination, row.signal
      )
      insert into actions (
        key, message, poll, signal, destination, entity, sequence, transition, lane, state, reason, due_at, expires_at,
        attempts,
        observed_at, detected_at, sent_at, accepted_at, settled_at
      )
      select
        key, message, poll.id, row.signal, destination, entity, sequence, 'entered', 0, state, reason, due_at,
        detected_at + interval '1 day', attempts, observed_at, detected_at, sent_at, accepted_at, settled_at
      from row join poll on poll.signal = row.signal and poll.scheduled_for = row.begun`,
    values: [JSON.stringify(rows)],
  });
  await pool.query({
    text: `
      with given as materialized (
        select nextval('attempt_ids') as id, a.*
        from jsonb_to_recordset($1) as a (action uuid, kind text, outcome text, decision text, reason text)
      ), noted as (
        insert into attempts (id, kind, outcome, decision, reason, duration_ms, epoch)
        select id, kind, outcome, coalesce(decision, 'done'), reason, 12, 1 from given
      )
      update actions
      set attempt_ids = made.ids
      from (select action, array_agg(id order by id) as ids from given group by action) as made
      where actions.key = made.action`,
    values: [
      JSON.stringify(
        actions.flatMap(({ attempts = [] }, index) =>
          attempts.map((attempt) => ({ ...attempt, action: rows[index]?.key })),
        ),
      ),
    ],
  });
  const { rows: keys } = await pool.query('select $1::uuid[]::text[] as keys', [rows.map(({ key }) => key)]);
  return keys[0].keys;
}

function row(action: SeedAction, index: number) {
  const begun = (action.poll ?? 0) * hour;
  const time = (ms: number | null | undefined) => (ms == null ? null : at(begun + ms).toISOString());
  const detected = action.detected ?? 0;
  const identity = `${action.signal}/${action.poll ?? 0}/${index}`;
  return {
    key: uuid(`action ${identity}`),
    message: uuid(`message ${identity}`),
    signal: action.signal,
    destination: action.destination,
    entity: action.entity ?? `E${index}`,
    sequence: index + 1,
    state: action.state,
    reason: action.reason ?? null,
    begun: time(0),
    due_at: isInFlight(action.state) ? time(detected) : null,
    attempts: action.tries ?? 0,
    observed_at: time(action.observed),
    detected_at: time(detected),
    sent_at: time(action.sent),
    accepted_at: time(action.accepted),
    settled_at: isSettled(action.state) ? time(action.settled ?? detected) : null,
  };
}
