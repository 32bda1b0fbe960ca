import type { Severity, Transition } from '../config/model.ts';

/** A row of `messages`. */
export interface MessageRow {
  id: string;
  signal: string;
  version: string;
  entity: string;
  sequence: number;
  transition: Transition;
  severity: Severity;
  observed_at: Date | null;
  detected_at: Date;
}

/**
 * A transition as a CloudEvents 1.0 event, as `schema/message/v1.json` describes it. Identifiers only: who consumes
 * it fetches the rest by key, fresh and with its own rights.
 *
 * @param key the key columns and their texts
 */
export function cloudEvent(
  project: string,
  row: MessageRow,
  key: Record<string, string>,
): Record<string, unknown> {
  return {
    specversion: '1.0',
    id: row.id,
    source: `/readback/${encodeURIComponent(project)}/${encodeURIComponent(row.signal)}`,
    type: `dev.readback.transition.${row.transition}`,
    subject: row.entity,
    time: row.detected_at.toISOString(),
    datacontenttype: 'application/json',
    dataschema: 'https://readback.dev/schema/message/v1.json',
    sequence: String(row.sequence),
    severity: row.severity,
    data: {
      signal: row.signal,
      version: row.version,
      key,
      transition: row.transition,
      observed_at: row.observed_at?.toISOString() ?? null,
      detected_at: row.detected_at.toISOString(),
    },
  };
}

/** The message's own facts as templates see them: `{{ message.transition }}`. */
export function messageScope(
  row: Omit<MessageRow, 'version'>,
  owner: string | undefined,
): Record<string, unknown> {
  return {
    id: row.id,
    signal: row.signal,
    entity: row.entity,
    transition: row.transition,
    severity: row.severity,
    owner: owner ?? null,
    sequence: row.sequence,
    detected_at: row.detected_at.toISOString(),
    observed_at: row.observed_at?.toISOString() ?? null,
  };
}
